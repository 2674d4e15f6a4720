"""A move is what Hypothesis chooses; here it becomes a request: path, query, body and headers naming anybody's ids."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from tests.walls.routes import Way

GOOD = ("admin", "read", "ingest", "delete", "user", "agent", "both")
BAD = ("expired", "revoked", "unknown", "mixed", "malformed", "none")
USERS, AGENTS = ("alex", "blair"), ("guide", "coach")
WORDS = ("zebra", "harbour", "saxophone")  # each tenant's memories hold one of these, and its canary

_NOBODY = "00000000-0000-7000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Move:
    """`aim`: whose ids are named, 0 = the caller's own; `pick`, `shape`: which of them, and in which form."""

    way: Way
    who: int  # which key of the example's crew
    aim: int
    pick: int
    shape: int
    repeat: int  # below 3: with that Idempotency-Key, which other tenants use too


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to name: ids of each tenant by what they are, and each route's query parameters."""

    ids: Sequence[Mapping[str, Sequence[UUID]]]
    parameters: Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Call:
    """A request. `foreign`: a path names one thing, and it is another tenant's."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    foreign: bool = False


# The keys of one example: all together, or alone, so that what a single key changes can be told.
CREWS = (GOOD * 3 + BAD, GOOD, ("user",), ("agent",), ("both",), ("read",), BAD)


def moves(ways: Sequence[Way], tenants: int) -> st.SearchStrategy[Move]:
    """Any way, any key, anybody's ids; others' ids more often."""
    return st.builds(
        Move,
        way=st.sampled_from(ways),
        who=st.integers(0, 2**20),
        aim=st.sampled_from([0, *range(1, tenants), *range(1, tenants)]),
        pick=st.integers(0, 2**20),
        shape=st.integers(0, 2**20),
        repeat=st.integers(0, 5),
    )


def request(move: Move, caller: int, known: Known) -> Call:
    """The request of a move by a tenant's key."""
    owner = (caller + move.aim) % len(known.ids)
    ids = known.ids[owner]
    names = placeholders(move, ids)
    path = move.way.path
    for name in move.way.names:
        path = path.replace("{" + name + "}", names[name])
    call = Call(move.way.method, path + ("/" if move.shape % 2 else ""), _query(move, ids, known))
    single = set(move.way.names) & {
        "memory_id",
        "event_id",
        "project_id",
        "org_id",
        "webhook_id",
        "erasure_id",
        "import_id",
    }
    call.foreign = bool(single) and owner != caller and names[min(single)] != _NOBODY
    if move.way.body not in (None, "nothing"):
        call.body = bodies(move, ids)[move.way.body]
    if move.repeat < 3:
        call.headers["Idempotency-Key"] = f"the-same-for-all-{move.repeat}"
    call.headers["Prefer"] = "respond-async"
    return call


def _id(ids: Mapping[str, Sequence[UUID]], kind: str, pick: int) -> str:
    """Mostly of the right kind, now and then another of the tenant's ids, or one nobody has."""
    if pick % 16 == 15:
        return _NOBODY
    pool = ids.get(kind) or ids["any"]
    pool = ids["any"] if pick % 16 == 14 else pool
    return str(pool[pick // 16 % len(pool)])


def placeholders(move: Move, ids: Mapping[str, Sequence[UUID]]) -> dict[str, str]:
    """A value for each placeholder of `routes.PLACEHOLDERS`."""
    user = move.shape % 3 != 0
    return {
        "memory_id": _id(ids, "memory", move.pick),
        "event_id": _id(ids, "event", move.pick),
        "job_id": _id(ids, "any", move.pick),
        "kind": "user" if user else "agent",
        "name": (USERS if user else AGENTS)[move.pick % 2],
        "webhook_id": _id(ids, "webhook", move.pick),
        "delivery_id": _id(ids, "delivery", move.pick),
        "erasure_id": _id(ids, "erasure", move.pick),
        "import_id": _id(ids, "import", move.pick),
        "org_id": _id(ids, "project", move.pick),
        "project_id": _id(ids, "project", move.pick),
    }


def _query(move: Move, ids: Mapping[str, Sequence[UUID]], known: Known) -> dict[str, str]:
    """One or two of the parameters the route documents, now and then none: a good call must not fail for them."""
    names = known.parameters.get(move.way.label, ())
    if not names or move.shape % 5 == 1:
        return {}
    values = {
        "user_id": USERS[move.pick % 2] if move.shape % 7 else "*",
        "agent_id": AGENTS[move.pick % 2] if move.shape % 7 else "*",
        "query": WORDS[move.aim],
        "memory_export_id": _id(ids, "export", move.pick),
        "include": "sources,history",
        "status": "FAILED" if move.pick % 2 else "PENDING",
        "wait": "0",
        "limit": "200",
        "page": "1",
        "page_size": "100",
        "state": "all",
        "filters": json.dumps(_filters(move, ids)),
        "name": f"log-{move.pick % 2}",
        "format": "auto",
        "on_error": "skip",
    }
    chosen = {names[move.shape % len(names)], names[move.pick % len(names)]}
    if "name" in names:
        chosen.add("name")
    if "user_id" in names and move.shape % 3:
        chosen.add("user_id")
    return {name: values.get(name, "1") for name in chosen}


def _filters(move: Move, ids: Mapping[str, Sequence[UUID]]) -> dict[str, Any]:
    some = [_id(ids, "memory", move.pick + step) for step in range(3)]
    forms: list[dict[str, Any]] = [
        {"user_id": "*"},
        {"AND": [{"user_id": USERS[move.pick % 2]}]},
        {"OR": [{"user_id": "*"}, {"agent_id": "*"}]},
        {"AND": [{"user_id": "*"}, {"id": {"in": some}}]},
        {"OR": [{"user_id": "*"}, {"memory_ids": some}]},
        {"NOT": [{"user_id": "nobody"}]},
        {"AND": [{"user_id": "*"}, {"metadata": {"place": "attic"}}]},
        {"AND": [{"user_id": "*"}, {"categories": {"contains": "hobbies"}}]},
        {"AND": [{"user_id": "*"}, {"memory": {"icontains": WORDS[move.aim]}}]},
    ]
    return forms[move.shape // 2 % len(forms)]


def bodies(move: Move, ids: Mapping[str, Sequence[UUID]]) -> dict[str, Any]:
    """A body of each kind that `routes.BODIES` names."""
    entity = {"user_id": USERS[move.pick % 2]} | ({"agent_id": AGENTS[move.shape % 2]} if move.shape % 5 < 2 else {})
    memory, filters = _id(ids, "memory", move.pick), _filters(move, ids)
    said = [{"role": "user", "content": f"I play the {WORDS[move.aim]} on day {move.pick}"}]
    chosen = {"filters": filters} if move.shape % 3 else entity
    form = {"schema": {"type": "object", "properties": {"note": {"type": "string"}}}} if move.shape % 7 == 0 else {}
    return {
        "add": {"messages": said, "infer": move.shape % 4 == 0, "metadata": {"place": "attic"}, **entity},
        "text": {"text": f"changed to {move.pick}", "metadata": {"place": "cellar"}},
        "batch": {
            "memories": [
                {"memory_id": _id(ids, "memory", move.pick + step)} | ({"text": "changed"} if move.shape % 2 else {})
                for step in range(1 + move.shape % 3)
            ]
        },
        "feedback": {"memory_id": memory, "feedback": "NEGATIVE", "feedback_reason": "tried"},
        "export": {
            **form,
            **chosen,
            **({"memory_export_id": _id(ids, "export", move.pick)} if move.shape % 2 else {}),
        },
        "selection": {**chosen},
        "search": {"query": f"who plays the {WORDS[move.aim]}", **chosen, "top_k": 50},
        "project": {"custom_instructions": "tried", "name": "tried"},
        "webhook": {"url": "https://example.org/in", "name": "tried", "is_active": bool(move.shape % 2)},
        "member": {"email": "tried@example.org", "role": "READER"},
    }
