"""Webhooks and what must be delivered to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# fmt: off
# ruff: noqa: E501 - one line a column reads best here

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PENDING = sa.text("state = 'pending'")
_CLAIMED = sa.text("state = 'pending' AND claim IS NOT NULL")


def upgrade() -> None:
    """Expand: two tables."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.create_table("webhooks",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("id", sa.UUID(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("url", sa.Text(), nullable=False),
    sa.Column("event_types", postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column("disabled_reason", sa.Text(), nullable=True),
    sa.Column("secret_generation", sa.Integer(), server_default=sa.text("1"), nullable=False),
    sa.Column("rotated_at", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("failing_since", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("rest_until", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_webhooks_project_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "id", name="pk_webhooks")
    )
    op.create_table("webhook_deliveries",
    sa.Column("project_id", sa.UUID(), nullable=False),
    sa.Column("id", sa.UUID(), nullable=False),
    sa.Column("webhook_id", sa.UUID(), nullable=False),
    sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column("event_type", sa.Text(), nullable=False),
    sa.Column("memory_id", sa.UUID(), nullable=False),
    sa.Column("version", sa.Integer(), nullable=True),
    sa.Column("state", sa.Text(), server_default="pending", nullable=False),
    sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("due_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.Column("claim", sa.UUID(), nullable=True),
    sa.Column("last_status", sa.Integer(), nullable=True),
    sa.Column("last_error", sa.Text(), nullable=True),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.Column("ended_at", sa.TIMESTAMP(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('pending','delivered','failed')", name=op.f("ck_webhook_deliveries_state")),
    sa.ForeignKeyConstraint(["project_id", "memory_id", "version"], ["memory_versions.project_id", "memory_versions.memory_id", "memory_versions.version"], name="fk_webhook_deliveries_project_id_memory_id_version", ondelete="CASCADE"),
    sa.ForeignKeyConstraint(["project_id", "webhook_id"], ["webhooks.project_id", "webhooks.id"], name="fk_webhook_deliveries_project_id_webhook_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("project_id", "id", name="pk_webhook_deliveries"),
    postgresql_with={"fillfactor": "80", "autovacuum_vacuum_scale_factor": "0.05"}
    )
    op.create_index("ix_webhook_deliveries_open", "webhook_deliveries", ["project_id", "webhook_id", "position"], postgresql_where=_PENDING)
    op.create_index("ix_webhook_deliveries_claimed", "webhook_deliveries", ["project_id", "webhook_id"], postgresql_where=_CLAIMED)
    op.create_index("ix_webhook_deliveries_order", "webhook_deliveries", ["project_id", "webhook_id", "memory_id", "position"], postgresql_where=_PENDING)
    op.create_index("ix_webhook_deliveries_feed", "webhook_deliveries", ["project_id", "webhook_id", "position"])
    op.create_index("ix_webhook_deliveries_version", "webhook_deliveries", ["project_id", "memory_id", "version"])
    op.create_index("ix_webhook_deliveries_created", "webhook_deliveries", ["created_at"])


def downgrade() -> None:
    """Webhooks and what was not delivered are gone."""
    op.drop_table("webhook_deliveries")
    op.drop_table("webhooks")
