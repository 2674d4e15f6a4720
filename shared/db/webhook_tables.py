"""The tables of webhooks; private to `shared.db`. A delivery holds no text: it names a version of a memory."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from shared.db.columns import belongs_to, count_column, metadata, time_column, uuid_column

_PENDING = sa.text("state = 'pending'")
_CLAIMED = sa.text("state = 'pending' AND claim IS NOT NULL")

webhooks = sa.Table(
    "webhooks",
    metadata,
    uuid_column("project_id", pk=True),
    uuid_column("id", pk=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("event_types", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("disabled_reason", sa.Text),
    count_column("secret_generation", start=1),
    time_column("rotated_at"),
    count_column("failures"),
    time_column("failing_since"),
    time_column("rest_until"),
    time_column("created_at", now=True),
    time_column("updated_at", now=True),
    belongs_to("projects", "project_id"),
)

webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    uuid_column("project_id", pk=True),
    uuid_column("id", pk=True),
    uuid_column("webhook_id"),
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False),
    sa.Column("event_type", sa.Text, nullable=False),
    uuid_column("memory_id"),
    sa.Column("version", sa.Integer),
    sa.Column("state", sa.Text, nullable=False, server_default="pending"),
    count_column("attempts"),
    time_column("due_at", now=True),
    uuid_column("claim", nullable=True),
    sa.Column("last_status", sa.Integer),
    sa.Column("last_error", sa.Text),
    time_column("created_at", now=True),
    time_column("ended_at"),
    belongs_to("webhooks", "project_id", "webhook_id"),
    sa.ForeignKeyConstraint(
        ["project_id", "memory_id", "version"],
        ["memory_versions.project_id", "memory_versions.memory_id", "memory_versions.version"],
        ondelete="CASCADE",
    ),
    sa.CheckConstraint("state IN ('pending','delivered','failed')", name="state"),
    sa.Index("ix_webhook_deliveries_open", "project_id", "webhook_id", "position", postgresql_where=_PENDING),
    sa.Index("ix_webhook_deliveries_claimed", "project_id", "webhook_id", postgresql_where=_CLAIMED),
    sa.Index(
        "ix_webhook_deliveries_order", "project_id", "webhook_id", "memory_id", "position", postgresql_where=_PENDING
    ),
    sa.Index("ix_webhook_deliveries_feed", "project_id", "webhook_id", "position"),
    sa.Index("ix_webhook_deliveries_version", "project_id", "memory_id", "version"),
    sa.Index("ix_webhook_deliveries_created", "created_at"),
    postgresql_with={"fillfactor": "80", "autovacuum_vacuum_scale_factor": "0.05"},
)
