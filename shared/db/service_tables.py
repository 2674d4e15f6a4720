"""The tables beside the memories: index queue, repeats, feedback, usage, breakers; private to `shared.db`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from shared.db.columns import belongs_to, count_column, json_column, metadata, time_column, uuid_column

index_queue = sa.Table(
    "index_queue",
    metadata,
    sa.Column("collection", sa.Text, primary_key=True),
    uuid_column("memory_id", pk=True),
    uuid_column("project_id"),
    uuid_column("scope_id"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("op", sa.Text, nullable=False),
    count_column("attempts"),
    time_column("available_at", now=True),
    time_column("queued_at", now=True),
    uuid_column("erasure_id", nullable=True),
    sa.CheckConstraint("op IN ('upsert','delete')", name="op"),
    sa.Index("ix_index_queue_due", "available_at"),
    sa.Index("ix_index_queue_scope", "project_id", "scope_id"),
    sa.Index("ix_index_queue_erasure", "erasure_id", postgresql_where=sa.text("erasure_id IS NOT NULL")),
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
    uuid_column("queued_to", nullable=True),
    sa.Column("queued_all", sa.Boolean, nullable=False, server_default=sa.false()),
    uuid_column("epoch", nullable=True),
    sa.Column("refilling", sa.Boolean, nullable=False, server_default=sa.false()),
    time_column("created_at", now=True),
    time_column("retired_at"),
    sa.CheckConstraint("state IN ('building','active','retired')", name="state"),
    sa.Index("uq_index_collections_active", "state", unique=True, postgresql_where=sa.text("state = 'active'")),
)

scope_hints = sa.Table(
    "scope_hints",
    metadata,
    uuid_column("project_id", pk=True),
    uuid_column("scope_id", pk=True),
    uuid_column("memory_id", pk=True),
    time_column("at", now=True),
    belongs_to("memories", "project_id", "memory_id"),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    uuid_column("project_id", pk=True),
    sa.Column("endpoint", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    uuid_column("event_id"),
    time_column("created_at", now=True),
    belongs_to("projects", "project_id"),
    sa.Index("ix_idempotency_keys_created", "created_at"),
    sa.Index("ix_idempotency_keys_event", "project_id", "event_id"),
)

memory_feedback = sa.Table(
    "memory_feedback",
    metadata,
    uuid_column("project_id", pk=True),
    uuid_column("memory_id", pk=True),
    sa.Column("feedback", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    time_column("at", now=True),
    belongs_to("memories", "project_id", "memory_id"),
)

memory_exports = sa.Table(
    "memory_exports",
    metadata,
    uuid_column("project_id", pk=True),
    uuid_column("id", pk=True),
    json_column("selection"),
    json_column("form", None),
    sa.Column("instructions", sa.Text),
    time_column("created_at", now=True),
    json_column("filled", None),
    sa.Column("filled_of", sa.Text),
    belongs_to("projects", "project_id"),
)

project_usage = sa.Table(
    "project_usage",
    metadata,
    uuid_column("project_id", pk=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("shard", sa.SmallInteger, primary_key=True),
    count_column("calls", sa.BigInteger),
    count_column("prompt_tokens", sa.BigInteger),
    count_column("completion_tokens", sa.BigInteger),
    count_column("cached_tokens", sa.BigInteger),
    count_column("embedding_calls", sa.BigInteger),
    count_column("embedding_tokens", sa.BigInteger),
    belongs_to("projects", "project_id"),
)

erasures = sa.Table(
    "erasures",
    metadata,
    uuid_column("project_id", pk=True),
    uuid_column("id", pk=True),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("names", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'::text[]")),
    sa.Column("subject", sa.LargeBinary, nullable=False),
    json_column("counts"),
    time_column("at", now=True),
    time_column("completed_at"),
    sa.CheckConstraint("what IN ('ids','memory','event','project')", name="what"),
    sa.Index("ix_erasures_subject", "subject"),
    sa.Index("ix_erasures_open", "id", postgresql_where=sa.text("completed_at IS NULL")),
)

erased_texts = sa.Table(
    "erased_texts",
    metadata,
    uuid_column("project_id", pk=True),
    uuid_column("scope_id", pk=True),
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    belongs_to("scopes", "project_id", "scope_id"),
)

spend_reservations = sa.Table(
    "spend_reservations",
    metadata,
    uuid_column("project_id", pk=True),
    uuid_column("id", pk=True),
    sa.Column("tokens", sa.BigInteger, nullable=False),
    time_column("at", now=True),
    belongs_to("projects", "project_id"),
)

breakers = sa.Table(
    "breakers",
    metadata,
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    count_column("failures"),
    time_column("open_until", nullable=False),
    time_column("since", now=True),
)

capabilities = sa.Table(
    "capabilities",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    json_column("value"),
    time_column("at", now=True),
)
