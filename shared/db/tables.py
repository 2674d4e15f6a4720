"""The schema as SQLAlchemy tables; private to `shared.db`, migrations make it, a test compares both.

`project_id` leads every key and every foreign key, so that row-level security can be laid over it.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_NOW = sa.text("clock_timestamp()")
_ID_COLUMNS = ("user_id", "agent_id", "app_id", "run_id")


def _uuid(name: str, **kwargs: bool) -> sa.Column[object]:
    return sa.Column(
        name, pg.UUID(as_uuid=True), nullable=kwargs.get("nullable", False), primary_key=kwargs.get("pk", False)
    )


def _time(name: str, *, now: bool = False, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(
        name, sa.TIMESTAMP(timezone=True), nullable=nullable and not now, server_default=_NOW if now else None
    )


def _count(name: str, kind: type[sa.types.TypeEngine[int]] = sa.Integer, start: int = 0) -> sa.Column[int]:
    return sa.Column(name, kind, nullable=False, server_default=sa.text(str(start)))


def _json(name: str, default: str | None = "{}") -> sa.Column[object]:
    return sa.Column(
        name,
        pg.JSONB,
        nullable=default is None,
        server_default=None if default is None else sa.text(f"'{default}'::jsonb"),
    )


def _ids() -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text) for name in _ID_COLUMNS]


def _to(table: str, *columns: str, cascade: bool = True) -> sa.ForeignKeyConstraint:
    parents = ["project_id", "id"] if len(columns) == 2 else ["id"]
    return sa.ForeignKeyConstraint(
        list(columns), [f"{table}.{parent}" for parent in parents], ondelete="CASCADE" if cascade else None
    )


projects = sa.Table(
    "projects",
    metadata,
    _uuid("id", pk=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    _json("settings"),
    _time("created_at", now=True),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    _uuid("project_id", pk=True),
    _uuid("id", pk=True),
    sa.Column("public_id", sa.Text, nullable=False, unique=True),
    sa.Column("secret_hmac", sa.LargeBinary, nullable=False),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("rights", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("user_id", sa.Text),
    sa.Column("agent_id", sa.Text),
    _time("expires_at"),
    _time("revoked_at"),
    _time("created_at", now=True),
    _to("projects", "project_id"),
)

scopes = sa.Table(
    "scopes",
    metadata,
    _uuid("project_id", pk=True),
    _uuid("id", pk=True),
    *_ids(),
    _count("next_seq", sa.BigInteger, 1),
    _count("fence", sa.BigInteger),
    sa.Column("lease_owner", sa.Text),
    _time("lease_until"),
    _count("pending_live"),
    _count("pending_bulk"),
    _time("available_live"),
    _time("available_bulk"),
    _count("pending_bytes", sa.BigInteger),
    _to("projects", "project_id"),
    sa.UniqueConstraint("project_id", *_ID_COLUMNS, name="uq_scopes_ids", postgresql_nulls_not_distinct=True),
    sa.Index("ix_scopes_due_live", "project_id", "available_live", postgresql_where=sa.text("pending_live > 0")),
    sa.Index("ix_scopes_due_bulk", "project_id", "available_bulk", postgresql_where=sa.text("pending_bulk > 0")),
    sa.Index("ix_scopes_leased", "lease_owner", "project_id", postgresql_where=sa.text("lease_owner IS NOT NULL")),
    *(
        sa.Index(f"ix_scopes_{name}", "project_id", name, postgresql_where=sa.text(f"{name} IS NOT NULL"))
        for name in _ID_COLUMNS[1:]
    ),
    postgresql_with={
        "fillfactor": "70",
        "autovacuum_vacuum_scale_factor": "0.02",
        "autovacuum_vacuum_threshold": "200",
    },
)

events = sa.Table(
    "events",
    metadata,
    _uuid("project_id", pk=True),
    _uuid("id", pk=True),
    _uuid("scope_id", nullable=True),
    sa.Column("seq", sa.BigInteger),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    *_ids(),
    sa.Column("window_key", sa.LargeBinary),
    sa.Column("reply_to", sa.Text),
    _count("pending"),
    _count("attempts"),
    _count("crash_count"),
    _count("lone_crashes"),
    _count("snoozes"),
    sa.Column("error_code", sa.Text),
    _time("available_at"),
    _time("accepted_at", now=True),
    _time("started_at"),
    _time("completed_at"),
    _time("updated_at", now=True),
    _to("projects", "project_id"),
    sa.CheckConstraint("status IN ('PENDING','RUNNING','SUCCEEDED','FAILED')", name="status"),
    sa.CheckConstraint("lane IN ('live','bulk')", name="lane"),
    sa.Index("ix_events_scope_seq", "project_id", "scope_id", "seq"),
    sa.Index("ix_events_feed", "project_id", "accepted_at", "id"),
    sa.Index("ix_events_failed", "project_id", "accepted_at", "id", postgresql_where=sa.text("status = 'FAILED'")),
    sa.Index(
        "ix_events_open", "accepted_at", postgresql_where=sa.text("status IN ('PENDING','RUNNING') AND lane = 'live'")
    ),
    postgresql_with={"fillfactor": "80", "autovacuum_vacuum_scale_factor": "0.05"},
)

event_payloads = sa.Table(
    "event_payloads",
    metadata,
    _uuid("project_id", pk=True),
    _uuid("event_id", pk=True),
    _json("origin"),
    _json("options"),
    _json("metadata", None),
    _json("results", "[]"),
    _json("rejections"),
    _json("usage"),
    _json("timings"),
    _json("failed", "[]"),
    sa.Column("error_detail", sa.Text),
    sa.Column("erased", sa.Boolean, nullable=False, server_default=sa.false()),
    _to("events", "project_id", "event_id"),
)

messages = sa.Table(
    "messages",
    metadata,
    _uuid("project_id", pk=True),
    _uuid("id", pk=True),
    _uuid("scope_id"),
    _uuid("event_id"),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("idx", sa.Integer, nullable=False),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("speaker", sa.Text),
    sa.Column("text", sa.Text, nullable=False),
    _time("said_at", nullable=False),
    sa.Column("said_offset", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("stamped", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    _uuid("applied_by", nullable=True),
    sa.Column("failed_code", sa.Text),
    _to("events", "project_id", "event_id"),
    sa.Index("ix_messages_event", "project_id", "event_id", "idx", unique=True),
    sa.Index(
        "ix_messages_open", "project_id", "scope_id", "lane", "seq", "idx",
        postgresql_where=sa.text("applied_by IS NULL AND failed_code IS NULL"),
    ),
    sa.Index("ix_messages_scope", "project_id", "scope_id", "lane", "seq", "idx"),
)  # fmt: skip

memories = sa.Table(
    "memories",
    metadata,
    _uuid("project_id", pk=True),
    _uuid("id", pk=True),
    _uuid("scope_id"),
    *_ids(),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("index_text", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False, server_default="user"),
    sa.Column("role", sa.Text),
    sa.Column("speaker", sa.Text),
    _count("weight", sa.SmallInteger, 2),
    _json("metadata", None),
    sa.Column("categories", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'::text[]")),
    _time("happens_at"),
    _time("happens_until"),
    sa.Column("precision", sa.Text),
    _time("valid_from"),
    _time("valid_to"),
    _time("observed_at", nullable=False),
    sa.Column("expires_on", sa.Date),
    sa.Column("immutable", sa.Boolean, nullable=False, server_default=sa.false()),
    _count("version", sa.Integer, 1),
    sa.Column("state", sa.Text, nullable=False, server_default="current"),
    _uuid("replaced_by", nullable=True),
    _json("extractor"),
    _count("evidence_count", sa.Integer, 1),
    sa.Column("deleted_seq", sa.BigInteger),
    _time("created_at", now=True),
    _time("updated_at", now=True),
    _to("scopes", "project_id", "scope_id"),
    sa.CheckConstraint("state IN ('current','retracted','replaced','deleted','source')", name="state"),
    sa.Index(
        "uq_memories_current_hash", "project_id", "scope_id", "hash", unique=True,
        postgresql_where=sa.text("state = 'current'"),
    ),
    sa.Index(
        "uq_memories_source_hash", "project_id", "scope_id", "hash", unique=True,
        postgresql_where=sa.text("state = 'source'"),
    ),
    sa.Index("ix_memories_source", "project_id", sa.text("created_at DESC"), sa.text("id DESC"),
             postgresql_where=sa.text("state = 'source'")),
    sa.Index("ix_memories_replaced_by", "project_id", "replaced_by",
             postgresql_where=sa.text("replaced_by IS NOT NULL")),
    sa.Index("ix_memories_scope_state", "project_id", "scope_id", "state"),
    sa.Index("ix_memories_scope_observed", "project_id", "scope_id", "observed_at",
             postgresql_where=sa.text("state = 'current'")),
    sa.Index("ix_memories_newest", "project_id", sa.text("created_at DESC"), sa.text("id DESC"),
             postgresql_where=sa.text("state = 'current'")),
    *(
        sa.Index(f"ix_memories_{name}", "project_id", name, sa.text("created_at DESC"), sa.text("id DESC"),
                 postgresql_where=sa.text(f"state = 'current' AND {name} IS NOT NULL"))
        for name in _ID_COLUMNS
    ),
    sa.Index("ix_memories_metadata", "metadata", postgresql_using="gin", postgresql_ops={"metadata": "jsonb_path_ops"}),
)  # fmt: skip

memory_versions = sa.Table(
    "memory_versions",
    metadata,
    _uuid("project_id", pk=True),
    _uuid("memory_id", pk=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("commit_order", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
    _uuid("scope_id"),
    _uuid("event_id", nullable=True),
    sa.Column("seq", sa.BigInteger),
    sa.Column("op", sa.Text, nullable=False),
    sa.Column("old_text", sa.Text),
    sa.Column("new_text", sa.Text),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    _time("valid_from"),
    _time("valid_to"),
    _json("before", None),
    _time("at", now=True),
    _to("memories", "project_id", "memory_id"),
    sa.Index("ix_memory_versions_hash", "project_id", "scope_id", "hash"),
    sa.Index("ix_memory_versions_event", "project_id", "event_id"),
)

memory_sources = sa.Table(
    "memory_sources",
    metadata,
    _uuid("project_id", pk=True),
    _uuid("memory_id", pk=True),
    sa.Column("version", sa.Integer, primary_key=True),
    _uuid("message_id", pk=True),
    sa.Column("start", sa.Integer),
    sa.Column("end", sa.Integer),
    sa.Column("quote", sa.Text, nullable=False, server_default=""),
    _to("memories", "project_id", "memory_id"),
    _to("messages", "project_id", "message_id"),
    sa.Index("ix_memory_sources_message", "project_id", "message_id"),
)

memory_vectors = sa.Table(
    "memory_vectors",
    metadata,
    _uuid("project_id", pk=True),
    _uuid("memory_id", pk=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("vector", sa.LargeBinary, nullable=False),
    _to("memories", "project_id", "memory_id"),
)

index_queue = sa.Table(
    "index_queue",
    metadata,
    sa.Column("collection", sa.Text, primary_key=True),
    _uuid("memory_id", pk=True),
    _uuid("project_id"),
    _uuid("scope_id"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("op", sa.Text, nullable=False),
    _count("attempts"),
    _time("available_at", now=True),
    _time("queued_at", now=True),
    sa.CheckConstraint("op IN ('upsert','delete')", name="op"),
    sa.Index("ix_index_queue_due", "available_at"),
    sa.Index("ix_index_queue_scope", "project_id", "scope_id"),
    postgresql_with={
        "fillfactor": "70",
        "autovacuum_vacuum_scale_factor": "0.02",
        "autovacuum_vacuum_threshold": "200",
    },
)

index_collections = sa.Table(
    "index_collections",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("dimensions", sa.Integer),
    sa.Column("state", sa.Text, nullable=False),
    _uuid("queued_to", nullable=True),
    sa.Column("queued_all", sa.Boolean, nullable=False, server_default=sa.false()),
    _time("created_at", now=True),
    _time("retired_at"),
    sa.CheckConstraint("state IN ('building','active','retired')", name="state"),
    sa.Index("uq_index_collections_active", "state", unique=True, postgresql_where=sa.text("state = 'active'")),
)

scope_hints = sa.Table(
    "scope_hints",
    metadata,
    _uuid("project_id", pk=True),
    _uuid("scope_id", pk=True),
    _uuid("memory_id", pk=True),
    _time("at", now=True),
    _to("memories", "project_id", "memory_id"),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    _uuid("project_id", pk=True),
    sa.Column("endpoint", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    _uuid("event_id"),
    _time("created_at", now=True),
    _to("projects", "project_id"),
    sa.Index("ix_idempotency_keys_created", "created_at"),
    sa.Index("ix_idempotency_keys_event", "project_id", "event_id"),
)

memory_feedback = sa.Table(
    "memory_feedback",
    metadata,
    _uuid("project_id", pk=True),
    _uuid("memory_id", pk=True),
    sa.Column("feedback", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    _time("at", now=True),
    _to("memories", "project_id", "memory_id"),
)

memory_exports = sa.Table(
    "memory_exports",
    metadata,
    _uuid("project_id", pk=True),
    _uuid("id", pk=True),
    _json("selection"),
    _json("form", None),
    sa.Column("instructions", sa.Text),
    _time("created_at", now=True),
    _to("projects", "project_id"),
)

project_usage = sa.Table(
    "project_usage",
    metadata,
    _uuid("project_id", pk=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("shard", sa.SmallInteger, primary_key=True),
    _count("calls", sa.BigInteger),
    _count("prompt_tokens", sa.BigInteger),
    _count("completion_tokens", sa.BigInteger),
    _count("cached_tokens", sa.BigInteger),
    _count("embedding_calls", sa.BigInteger),
    _count("embedding_tokens", sa.BigInteger),
    _to("projects", "project_id"),
)

breakers = sa.Table(
    "breakers",
    metadata,
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    _count("failures"),
    _time("open_until", nullable=False),
    _time("since", now=True),
)

capabilities = sa.Table(
    "capabilities",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    _json("value"),
    _time("at", now=True),
)
