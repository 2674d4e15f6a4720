"""The first schema: projects, keys, scopes, events, messages, memories, index queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# fmt: off
# ruff: noqa: E501 - one line a column reads best here

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Adds the numbers of two flat JSON objects key by key: rejections and usage grow window by window.
_ADD_COUNTS = """
CREATE FUNCTION flumes_add_counts(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(key, total), '{}'::jsonb) FROM (
        SELECT key, sum(value::numeric) AS total
        FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) parts GROUP BY key
    ) sums
$$
"""


def upgrade() -> None:  # noqa: PLR0915 - every table there is
    """Expand only; nothing existed before."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute(_ADD_COUNTS)
    op.create_table("breakers",
    sa.Column("provider", sa.Text(), nullable=False),
    sa.Column("code", sa.Text(), nullable=False),
    sa.Column("detail", sa.Text(), nullable=False),
    sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("open_until", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("since", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.PrimaryKeyConstraint("provider", name="pk_breakers")
    )
    op.create_table("capabilities",
    sa.Column("key", sa.Text(), nullable=False),
    sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.PrimaryKeyConstraint("key", name="pk_capabilities")
    )
    op.create_table("index_collections",
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("model", sa.Text(), nullable=False),
    sa.Column("dimensions", sa.Integer(), nullable=True),
    sa.Column("state", sa.Text(), nullable=False),
    sa.Column("queued_to", sa.UUID(), nullable=True),
    sa.Column("queued_all", sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.Column("retired_at", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('building','active','retired')", name=op.f("ck_index_collections_state")),
    sa.PrimaryKeyConstraint("name", name="pk_index_collections")
    )
    op.create_index("uq_index_collections_active", "index_collections", ["state"], unique=True, postgresql_where=sa.text("state = 'active'"))
    op.create_table("index_queue",
    sa.Column("collection", sa.Text(), nullable=False),
    sa.Column("memory_id", sa.UUID(), nullable=False),
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("scope_id", sa.UUID(), nullable=False),
    sa.Column("version", sa.Integer(), nullable=False),
    sa.Column("op", sa.Text(), nullable=False),
    sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("available_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.Column("queued_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.CheckConstraint("op IN ('upsert','delete')", name=op.f("ck_index_queue_op")),
    sa.PrimaryKeyConstraint("collection", "memory_id", name="pk_index_queue"),
    postgresql_with={"fillfactor": "70", "autovacuum_vacuum_scale_factor": "0.02", "autovacuum_vacuum_threshold": "200"}
    )
    op.create_index("ix_index_queue_due", "index_queue", ["available_at"], unique=False)
    op.create_index("ix_index_queue_scope", "index_queue", ["project_id", "scope_id"], unique=False)
    op.create_table("projects",
    sa.Column("id", sa.UUID(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.PrimaryKeyConstraint("id", name="pk_projects"),
    sa.UniqueConstraint("name", name="uq_projects_name")
    )
    op.create_table("api_keys",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("id", sa.UUID(), nullable=False),
    sa.Column("public_id", sa.Text(), nullable=False),
    sa.Column("secret_hmac", sa.LargeBinary(), nullable=False),
    sa.Column("name", sa.Text(), server_default="", nullable=False),
    sa.Column("rights", postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column("user_id", sa.Text(), nullable=True),
    sa.Column("agent_id", sa.Text(), nullable=True),
    sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("revoked_at", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_api_keys_project_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "id", name="pk_api_keys"),
    sa.UniqueConstraint("public_id", name="uq_api_keys_public_id")
    )
    op.create_table("events",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("id", sa.UUID(), nullable=False),
    sa.Column("scope_id", sa.UUID(), nullable=True),
    sa.Column("seq", sa.BigInteger(), nullable=True),
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("lane", sa.Text(), nullable=False),
    sa.Column("status", sa.Text(), nullable=False),
    sa.Column("user_id", sa.Text(), nullable=True),
    sa.Column("agent_id", sa.Text(), nullable=True),
    sa.Column("app_id", sa.Text(), nullable=True),
    sa.Column("run_id", sa.Text(), nullable=True),
    sa.Column("window_key", sa.LargeBinary(), nullable=True),
    sa.Column("reply_to", sa.Text(), nullable=True),
    sa.Column("pending", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("crash_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("lone_crashes", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("snoozes", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("error_code", sa.Text(), nullable=True),
    sa.Column("available_at", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("accepted_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("completed_at", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.CheckConstraint("lane IN ('live','bulk')", name=op.f("ck_events_lane")),
    sa.CheckConstraint("status IN ('PENDING','RUNNING','SUCCEEDED','FAILED')", name=op.f("ck_events_status")),
    sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_events_project_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "id", name="pk_events"),
    postgresql_with={"fillfactor": "80", "autovacuum_vacuum_scale_factor": "0.05"}
    )
    op.create_index("ix_events_failed", "events", ["project_id", "accepted_at", "id"], unique=False, postgresql_where=sa.text("status = 'FAILED'"))
    op.create_index("ix_events_feed", "events", ["project_id", "accepted_at", "id"], unique=False)
    op.create_index("ix_events_open", "events", ["accepted_at"], unique=False, postgresql_where=sa.text("status IN ('PENDING','RUNNING') AND lane = 'live'"))
    op.create_index("ix_events_scope_seq", "events", ["project_id", "scope_id", "seq"], unique=False)
    op.create_table("idempotency_keys",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("endpoint", sa.Text(), nullable=False),
    sa.Column("key", sa.Text(), nullable=False),
    sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
    sa.Column("event_id", sa.UUID(), nullable=False),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_idempotency_keys_project_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "endpoint", "key", name="pk_idempotency_keys")
    )
    op.create_index("ix_idempotency_keys_created", "idempotency_keys", ["created_at"], unique=False)
    op.create_index("ix_idempotency_keys_event", "idempotency_keys", ["project_id", "event_id"], unique=False)
    op.create_table("project_usage",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("day", sa.Date(), nullable=False),
    sa.Column("shard", sa.SmallInteger(), nullable=False),
    sa.Column("calls", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    sa.Column("prompt_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    sa.Column("completion_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    sa.Column("cached_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    sa.Column("embedding_calls", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    sa.Column("embedding_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_project_usage_project_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "day", "shard", name="pk_project_usage")
    )
    op.create_table("scopes",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("id", sa.UUID(), nullable=False),
    sa.Column("user_id", sa.Text(), nullable=True),
    sa.Column("agent_id", sa.Text(), nullable=True),
    sa.Column("app_id", sa.Text(), nullable=True),
    sa.Column("run_id", sa.Text(), nullable=True),
    sa.Column("next_seq", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
    sa.Column("fence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    sa.Column("lease_owner", sa.Text(), nullable=True),
    sa.Column("lease_until", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("pending_live", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("pending_bulk", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("available_live", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("available_bulk", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("pending_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_scopes_project_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "id", name="pk_scopes"),
    sa.UniqueConstraint("project_id", "user_id", "agent_id", "app_id", "run_id", name="uq_scopes_ids", postgresql_nulls_not_distinct=True),
    postgresql_with={"fillfactor": "70", "autovacuum_vacuum_scale_factor": "0.02", "autovacuum_vacuum_threshold": "200"}
    )
    op.create_index("ix_scopes_agent_id", "scopes", ["project_id", "agent_id"], unique=False, postgresql_where=sa.text("agent_id IS NOT NULL"))
    op.create_index("ix_scopes_app_id", "scopes", ["project_id", "app_id"], unique=False, postgresql_where=sa.text("app_id IS NOT NULL"))
    op.create_index("ix_scopes_due_bulk", "scopes", ["project_id", "available_bulk"], unique=False, postgresql_where=sa.text("pending_bulk > 0"))
    op.create_index("ix_scopes_due_live", "scopes", ["project_id", "available_live"], unique=False, postgresql_where=sa.text("pending_live > 0"))
    op.create_index("ix_scopes_leased", "scopes", ["lease_owner", "project_id"], unique=False, postgresql_where=sa.text("lease_owner IS NOT NULL"))
    op.create_index("ix_scopes_run_id", "scopes", ["project_id", "run_id"], unique=False, postgresql_where=sa.text("run_id IS NOT NULL"))
    op.create_table("event_payloads",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("event_id", sa.UUID(), nullable=False),
    sa.Column("origin", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column("results", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column("rejections", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column("usage", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column("timings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column("failed", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column("error_detail", sa.Text(), nullable=True),
    sa.Column("erased", sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.ForeignKeyConstraint(["project_id", "event_id"], ["events.project_id", "events.id"], name="fk_event_payloads_project_id_event_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "event_id", name="pk_event_payloads")
    )
    op.create_table("memories",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("id", sa.UUID(), nullable=False),
    sa.Column("scope_id", sa.UUID(), nullable=False),
    sa.Column("user_id", sa.Text(), nullable=True),
    sa.Column("agent_id", sa.Text(), nullable=True),
    sa.Column("app_id", sa.Text(), nullable=True),
    sa.Column("run_id", sa.Text(), nullable=True),
    sa.Column("text", sa.Text(), nullable=False),
    sa.Column("index_text", sa.Text(), nullable=False),
    sa.Column("hash", sa.LargeBinary(), nullable=False),
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("about", sa.Text(), server_default="user", nullable=False),
    sa.Column("role", sa.Text(), nullable=True),
    sa.Column("speaker", sa.Text(), nullable=True),
    sa.Column("weight", sa.SmallInteger(), server_default=sa.text("2"), nullable=False),
    sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column("categories", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
    sa.Column("happens_at", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("happens_until", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("precision", sa.Text(), nullable=True),
    sa.Column("valid_from", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("valid_to", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("observed_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("expires_on", sa.Date(), nullable=True),
    sa.Column("immutable", sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
    sa.Column("state", sa.Text(), server_default="current", nullable=False),
    sa.Column("replaced_by", sa.UUID(), nullable=True),
    sa.Column("extractor", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column("evidence_count", sa.Integer(), server_default=sa.text("1"), nullable=False),
    sa.Column("deleted_seq", sa.BigInteger(), nullable=True),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.CheckConstraint("state IN ('current','retracted','replaced','deleted')", name=op.f("ck_memories_state")),
    sa.ForeignKeyConstraint(["project_id", "scope_id"], ["scopes.project_id", "scopes.id"], name="fk_memories_project_id_scope_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "id", name="pk_memories")
    )
    op.create_index("ix_memories_agent_id", "memories", ["project_id", "agent_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")], unique=False, postgresql_where=sa.text("state = 'current' AND agent_id IS NOT NULL"))
    op.create_index("ix_memories_app_id", "memories", ["project_id", "app_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")], unique=False, postgresql_where=sa.text("state = 'current' AND app_id IS NOT NULL"))
    op.create_index("ix_memories_metadata", "memories", ["metadata"], unique=False, postgresql_using="gin", postgresql_ops={"metadata": "jsonb_path_ops"})
    op.create_index("ix_memories_newest", "memories", ["project_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")], unique=False, postgresql_where=sa.text("state = 'current'"))
    op.create_index("ix_memories_run_id", "memories", ["project_id", "run_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")], unique=False, postgresql_where=sa.text("state = 'current' AND run_id IS NOT NULL"))
    op.create_index("ix_memories_scope_state", "memories", ["project_id", "scope_id", "state"], unique=False)
    op.create_index("ix_memories_user_id", "memories", ["project_id", "user_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")], unique=False, postgresql_where=sa.text("state = 'current' AND user_id IS NOT NULL"))
    op.create_index("uq_memories_current_hash", "memories", ["project_id", "scope_id", "hash"], unique=True, postgresql_where=sa.text("state = 'current'"))
    op.create_table("messages",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("id", sa.UUID(), nullable=False),
    sa.Column("scope_id", sa.UUID(), nullable=False),
    sa.Column("event_id", sa.UUID(), nullable=False),
    sa.Column("seq", sa.BigInteger(), nullable=False),
    sa.Column("idx", sa.Integer(), nullable=False),
    sa.Column("lane", sa.Text(), nullable=False),
    sa.Column("role", sa.Text(), nullable=False),
    sa.Column("speaker", sa.Text(), nullable=True),
    sa.Column("text", sa.Text(), nullable=False),
    sa.Column("said_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("said_offset", sa.SmallInteger(), server_default="0", nullable=False),
    sa.Column("stamped", sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column("hash", sa.LargeBinary(), nullable=False),
    sa.Column("applied_by", sa.UUID(), nullable=True),
    sa.Column("failed_code", sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(["project_id", "event_id"], ["events.project_id", "events.id"], name="fk_messages_project_id_event_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "id", name="pk_messages")
    )
    op.create_index("ix_messages_event", "messages", ["project_id", "event_id", "idx"], unique=True)
    op.create_index("ix_messages_open", "messages", ["project_id", "scope_id", "lane", "seq", "idx"], unique=False, postgresql_where=sa.text("applied_by IS NULL AND failed_code IS NULL"))
    op.create_index("ix_messages_scope", "messages", ["project_id", "scope_id", "lane", "seq", "idx"], unique=False)
    op.create_table("memory_sources",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("memory_id", sa.UUID(), nullable=False),
    sa.Column("version", sa.Integer(), nullable=False),
    sa.Column("message_id", sa.UUID(), nullable=False),
    sa.Column("start", sa.Integer(), nullable=True),
    sa.Column("end", sa.Integer(), nullable=True),
    sa.Column("quote", sa.Text(), server_default="", nullable=False),
    sa.ForeignKeyConstraint(["project_id", "memory_id"], ["memories.project_id", "memories.id"], name="fk_memory_sources_project_id_memory_id", ondelete="CASCADE"),
    sa.ForeignKeyConstraint(["project_id", "message_id"], ["messages.project_id", "messages.id"], name="fk_memory_sources_project_id_message_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "memory_id", "version", "message_id", name="pk_memory_sources")
    )
    op.create_index("ix_memory_sources_message", "memory_sources", ["project_id", "message_id"], unique=False)
    op.create_table("memory_vectors",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("memory_id", sa.UUID(), nullable=False),
    sa.Column("model", sa.Text(), nullable=False),
    sa.Column("version", sa.Integer(), nullable=False),
    sa.Column("vector", sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(["project_id", "memory_id"], ["memories.project_id", "memories.id"], name="fk_memory_vectors_project_id_memory_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "memory_id", "model", name="pk_memory_vectors")
    )
    op.create_table("memory_versions",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("memory_id", sa.UUID(), nullable=False),
    sa.Column("version", sa.Integer(), nullable=False),
    sa.Column("commit_order", sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column("scope_id", sa.UUID(), nullable=False),
    sa.Column("event_id", sa.UUID(), nullable=True),
    sa.Column("seq", sa.BigInteger(), nullable=True),
    sa.Column("op", sa.Text(), nullable=False),
    sa.Column("old_text", sa.Text(), nullable=True),
    sa.Column("new_text", sa.Text(), nullable=True),
    sa.Column("hash", sa.LargeBinary(), nullable=False),
    sa.Column("valid_from", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("valid_to", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.ForeignKeyConstraint(["project_id", "memory_id"], ["memories.project_id", "memories.id"], name="fk_memory_versions_project_id_memory_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "memory_id", "version", name="pk_memory_versions"),
    sa.UniqueConstraint("commit_order", name="uq_memory_versions_commit_order")
    )
    op.create_index("ix_memory_versions_event", "memory_versions", ["project_id", "event_id"], unique=False)
    op.create_index("ix_memory_versions_hash", "memory_versions", ["project_id", "scope_id", "hash"], unique=False)
    op.create_table("scope_hints",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("scope_id", sa.UUID(), nullable=False),
    sa.Column("memory_id", sa.UUID(), nullable=False),
    sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.ForeignKeyConstraint(["project_id", "memory_id"], ["memories.project_id", "memories.id"], name="fk_scope_hints_project_id_memory_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "scope_id", "memory_id", name="pk_scope_hints")
    )
    op.create_index("ix_memories_replaced_by", "memories", ["project_id", "replaced_by"], unique=False, postgresql_where=sa.text("replaced_by IS NOT NULL"))
    op.create_table("memory_feedback",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("memory_id", sa.UUID(), nullable=False),
    sa.Column("feedback", sa.Text(), nullable=False),
    sa.Column("reason", sa.Text(), nullable=True),
    sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.ForeignKeyConstraint(["project_id", "memory_id"], ["memories.project_id", "memories.id"], name="fk_memory_feedback_project_id_memory_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "memory_id", name="pk_memory_feedback")
    )
    op.create_table("memory_exports",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("id", sa.UUID(), nullable=False),
    sa.Column("selection", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column("form", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column("instructions", sa.Text(), nullable=True),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_memory_exports_project_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "id", name="pk_memory_exports")
    )
