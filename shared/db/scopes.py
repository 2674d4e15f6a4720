"""Scope rows: sequence numbers, pending work per lane, leases and fences. Always the first lock of a writer.

All times compare inside Postgres with `clock_timestamp()`; a worker's clock never decides about a lease.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.model.scope import Lane, ScopeRef


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one lane of a scope until the lease runs out; `fence` proves it at commit."""

    scope: ScopeRef
    lane: Lane
    fence: int
    owner: str
    pending: int  # messages waiting in this lane
    pending_bytes: int
    cut: int | None = None  # how many messages may be shown at most: an earlier window of this lane was too large


def _due(lane: Lane, extra: str, locked: str) -> str:
    return f"""
        SELECT s.project_id, s.id, '{lane}' AS lane FROM scopes s
        WHERE s.pending_{lane} > 0 AND s.available_{lane} <= clock_timestamp()
          AND (s.lease_owner IS NULL OR s.lease_until < clock_timestamp())
          AND s.project_id NOT IN (SELECT project_id FROM busy) {extra}
        ORDER BY s.project_id, s.available_{lane} LIMIT 1 {locked}"""


def _claim_statement(locked: str) -> sa.TextClause:
    """The hint, then live work of the tenants after the last served one, then of all tenants, then the same for bulk.

    One statement; a later part runs only when the earlier ones gave nothing.
    """
    hint = "AND s.project_id = :hint_project AND s.id = :hint_scope"
    return sa.text(
        f"""
        WITH busy AS MATERIALIZED (
            SELECT project_id FROM scopes WHERE lease_owner IS NOT NULL AND lease_until > clock_timestamp()
            GROUP BY project_id HAVING count(*) >= :cap
            UNION ALL
            SELECT substr(provider, 7)::uuid FROM breakers -- at their ceiling: `shared.db.spend`
            WHERE provider LIKE 'spend:%' AND open_until > clock_timestamp()
        ),
        hinted AS ({_due("live", hint, locked)}),
        live_next AS ({_due("live", "AND s.project_id > :after", locked)}),
        live_any AS ({_due("live", "", locked)}),
        bulk_next AS ({_due("bulk", "AND :bulk AND s.project_id > :after", locked)}),
        bulk_any AS ({_due("bulk", "AND :bulk", locked)}),
        chosen AS MATERIALIZED (
            SELECT * FROM (
                SELECT * FROM hinted UNION ALL SELECT * FROM live_next UNION ALL SELECT * FROM live_any
                UNION ALL SELECT * FROM bulk_next UNION ALL SELECT * FROM bulk_any
            ) parts
            WHERE NOT EXISTS (SELECT 1 FROM breakers WHERE provider = :provider AND open_until > clock_timestamp())
            LIMIT 1
        )
        UPDATE scopes s SET lease_owner = :owner, fence = s.fence + 1,
            lease_until = clock_timestamp() + make_interval(secs => :lease)
        FROM chosen c WHERE s.project_id = c.project_id AND s.id = c.id
            AND (s.lease_owner IS NULL OR s.lease_until < clock_timestamp())
            AND CASE c.lane WHEN 'live' THEN s.pending_live > 0 AND s.available_live <= clock_timestamp()
                            ELSE s.pending_bulk > 0 AND s.available_bulk <= clock_timestamp() END
        RETURNING s.project_id, s.id, s.fence, c.lane, s.pending_live, s.pending_bulk, s.pending_bytes,
            s.cut_live, s.cut_bulk
        """
    )


# A scope that callers post to all the time is nearly always locked by one of their transactions, for a moment each:
# skipping locked rows alone would pass it over again and again, so what is not found is looked for once more, waiting.
# The second look locks nothing but the row it updates (and checks again after the wait): a claimer that held one row
# while it waited for the next would end in deadlocks with other claimers, and callers' POSTs among them. A delete-all
# may hold a row for long: who waits gives up after a second, and a process waits with one connection at most.
_CLAIM_FREE, _CLAIM_LOCKED = _claim_statement("FOR UPDATE OF s SKIP LOCKED"), _claim_statement("")
_PATIENCE = sa.text("SET LOCAL lock_timeout = '1s'")

_NOBODY = UUID(int=0)


def claim(  # noqa: PLR0913 - what policy knows
    session: Session,
    *,
    owner: str,
    lease: float,
    tenant_cap: int,
    after: UUID | None = None,
    bulk: bool = True,
    hint: ScopeRef | None = None,
    provider: str | None = None,
    patient: bool = True,
) -> Claim | None:
    """Lease the next due scope for `lease` seconds, or None. `after`: the project served last (tenants take turns).

    `tenant_cap`: a project with that many leased scopes waits. `bulk=False`: only the live lane. `provider`: whom the
    work would ask; nothing is claimed while its breaker is open. `patient`: wait for a locked scope for a second.
    Raises the driver's lock timeout after that.
    """
    values = {
        "owner": owner,
        "lease": lease,
        "cap": tenant_cap,
        "after": after or _NOBODY,
        "bulk": bulk,
        "provider": provider or "",
        "hint_project": hint.project_id if hint else _NOBODY,
        "hint_scope": hint.scope_id if hint else _NOBODY,
    }
    row = session.execute(_CLAIM_FREE, values).one_or_none()
    if row is None and patient:
        session.execute(_PATIENCE)
        row = session.execute(_CLAIM_LOCKED, values).one_or_none()
    if row is None:
        return None
    live = row.lane == "live"
    pending, cut = (row.pending_live, row.cut_live) if live else (row.pending_bulk, row.cut_bulk)
    return Claim(ScopeRef(row.project_id, row.id), row.lane, row.fence, owner, pending, row.pending_bytes, cut)


def heartbeat(session: Session, claims: list[Claim], lease: float) -> int:
    """Renew these leases in one statement; returns how many were renewed.

    A scope that is locked this moment is left for the next beat: one slow writer must not cost the others their leases.
    """
    if not claims:
        return 0
    statement = sa.text(
        """
        WITH free AS (
            SELECT s.project_id, s.id FROM scopes s
            JOIN unnest(CAST(:projects AS uuid[]), CAST(:scopes AS uuid[]), CAST(:fences AS bigint[]))
                AS c(project_id, id, fence) ON s.project_id = c.project_id AND s.id = c.id AND s.fence = c.fence
            WHERE s.lease_owner = :owner FOR UPDATE OF s SKIP LOCKED
        )
        UPDATE scopes s SET lease_until = clock_timestamp() + make_interval(secs => :lease)
        FROM free WHERE s.project_id = free.project_id AND s.id = free.id
        """
    )
    result = session.execute(
        statement,
        {
            "lease": lease,
            "owner": claims[0].owner,
            "projects": [c.scope.project_id for c in claims],
            "scopes": [c.scope.scope_id for c in claims],
            "fences": [c.fence for c in claims],
        },
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def hold(session: Session, claim: Claim) -> bool:
    """Lock the scope row if this claim is still the newest; False = somebody else took over, discard the work."""
    row = session.execute(
        sa.text(
            "SELECT 1 FROM scopes WHERE project_id = :p AND id = :s AND fence = :f AND lease_owner = :o FOR UPDATE"
        ),
        {"p": claim.scope.project_id, "s": claim.scope.scope_id, "f": claim.fence, "o": claim.owner},
    ).one_or_none()
    return row is not None


def lock(session: Session, scope: ScopeRef) -> bool:
    """Lock a scope row for a writer without a claim (PATCH, DELETE); False when there is none."""
    row = session.execute(
        sa.text("SELECT 1 FROM scopes WHERE project_id = :p AND id = :s FOR UPDATE"),
        {"p": scope.project_id, "s": scope.scope_id},
    ).one_or_none()
    return row is not None


def take_seq(session: Session, scope: ScopeRef) -> int:
    """The next seq of a scope; locks the row."""
    value = session.execute(
        sa.text("UPDATE scopes SET next_seq = next_seq + 1 WHERE project_id = :p AND id = :s RETURNING next_seq - 1"),
        {"p": scope.project_id, "s": scope.scope_id},
    ).scalar_one()
    return int(value)


def settle(
    session: Session,
    claim: Claim,
    *,
    done: int,
    done_bytes: int,
    delay: float | None = None,
    cut: int | None = None,
) -> bool:
    """Give the claim back and take finished messages off the lane; it is due again after `delay` seconds.

    `cut`: how many messages the lane's next window may show at most; None = as many as there is room for.
    Returns False (and changes nothing) when the claim is no longer the newest.
    """
    lane = claim.lane
    statement = sa.text(
        f"""
        UPDATE scopes SET lease_owner = NULL, lease_until = NULL,
            pending_{lane} = greatest(0, pending_{lane} - :done),
            pending_bytes = greatest(0, pending_bytes - :done_bytes),
            available_{lane} = clock_timestamp() + make_interval(secs => :delay), cut_{lane} = :cut
        WHERE project_id = :p AND id = :s AND fence = :f AND lease_owner = :o
        """
    )
    result = session.execute(
        statement,
        {
            "done": done, "done_bytes": done_bytes, "delay": delay or 0.0, "cut": cut, "p": claim.scope.project_id,
            "s": claim.scope.scope_id, "f": claim.fence, "o": claim.owner,
        },
    )  # fmt: skip
    return bool(result.rowcount)  # type: ignore[attr-defined]


def due_lanes(session: Session) -> tuple[bool, bool]:
    """(live, bulk): whether any scope has due and unclaimed work; the poll's cheap look."""
    parts = [
        f"""EXISTS (SELECT 1 FROM scopes WHERE pending_{lane} > 0 AND available_{lane} <= clock_timestamp()
            AND (lease_owner IS NULL OR lease_until < clock_timestamp()) AND project_id NOT IN (SELECT project_id
            FROM capped))"""
        for lane in ("live", "bulk")
    ]
    capped = """
        WITH capped AS MATERIALIZED (
            SELECT substr(provider, 7)::uuid AS project_id FROM breakers
            WHERE provider LIKE 'spend:%' AND open_until > clock_timestamp()
        )"""
    row = session.execute(sa.text(f"{capped} SELECT {parts[0]} AS live, {parts[1]} AS bulk")).one()
    return row.live, row.bulk
