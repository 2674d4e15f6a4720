"""Receipts of erasures, and ceilings on what a project may spend."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")
# What users wrote, or what is made of it: the planner's statistics would keep samples of it beyond its erasure.
_WRITTEN = {
    "memories": ("text", "index_text", "speaker", "metadata"),
    "memory_versions": ("old_text", "new_text", "before"),
    "memory_sources": ("quote",),
    "messages": ("text", "speaker"),
    "event_payloads": ("origin", "options", "metadata", "results", "error_detail"),
    "memory_feedback": ("reason",),
    "memory_exports": ("selection", "form", "instructions"),
    "idempotency_keys": ("key",),
}


def upgrade() -> None:
    """Expand: three small tables, and columns that may be empty."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '30s'")
    _erasures()
    _spending()
    for table, columns in _WRITTEN.items():
        op.execute(f"ALTER TABLE {table} {', '.join(f'ALTER COLUMN {name} SET STATISTICS 0' for name in columns)}")


def _erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("project_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("names", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("counts", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("completed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("what IN ('ids','memory','event','project')", name=op.f("ck_erasures_what")),
        sa.PrimaryKeyConstraint("project_id", "id", name="pk_erasures"),
    )
    op.create_index("ix_erasures_subject", "erasures", ["subject"])
    op.create_index("ix_erasures_open", "erasures", ["id"], postgresql_where=sa.text("completed_at IS NULL"))
    op.create_table(
        "erased_texts",
        sa.Column("project_id", sa.UUID(), nullable=False),
        sa.Column("scope_id", sa.UUID(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "scope_id"],
            ["scopes.project_id", "scopes.id"],
            name="fk_erased_texts_project_id_scope_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "scope_id", "hash", name="pk_erased_texts"),
    )
    op.add_column("index_queue", sa.Column("erasure_id", sa.UUID(), nullable=True))
    op.create_index(
        "ix_index_queue_erasure", "index_queue", ["erasure_id"], postgresql_where=sa.text("erasure_id IS NOT NULL")
    )


def _spending() -> None:
    op.create_table(
        "spend_reservations",
        sa.Column("project_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_spend_reservations_project_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "id", name="pk_spend_reservations"),
    )


def downgrade() -> None:
    """The receipts go; what was erased stays erased."""
    for table, columns in _WRITTEN.items():
        op.execute(f"ALTER TABLE {table} {', '.join(f'ALTER COLUMN {name} SET STATISTICS -1' for name in columns)}")
    op.drop_table("spend_reservations")
    op.drop_index("ix_index_queue_erasure", table_name="index_queue")
    op.drop_column("index_queue", "erasure_id")
    op.drop_table("erased_texts")
    op.drop_table("erasures")
