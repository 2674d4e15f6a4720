"""Imports and their lines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")
_ZERO = sa.text("0")
_COUNTERS = (
    "lines", "groups", "messages", "rejected", "ended", "failed", "added", "updated", "deleted", "calls",
    "input_tokens", "output_tokens",
)  # fmt: skip


def upgrade() -> None:
    """Expand: two tables of their own."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.create_table(
        "imports",
        sa.Column("project_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("options", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("complete", sa.Boolean(), server_default=sa.false(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), server_default=_ZERO, nullable=False) for name in _COUNTERS),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("completed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), server_default=_NOW, nullable=False),
        sa.CheckConstraint("state IN ('RUNNING','PAUSED','STOPPED','CANCELLED','DONE')", name=op.f("ck_imports_state")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_imports_project_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("project_id", "id", name="pk_imports"),
        sa.UniqueConstraint("project_id", "name", name="uq_imports_name"),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_index("ix_imports_running", "imports", ["id"], postgresql_where=sa.text("state = 'RUNNING'"))
    _lines()


def _lines() -> None:
    op.create_table(
        "import_lines",
        sa.Column("project_id", sa.UUID(), nullable=False),
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("user_id", "agent_id", "app_id", "run_id")),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("said_from", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("messages", sa.Integer(), server_default=_ZERO, nullable=False),
        sa.Column("prepared", postgresql.JSONB(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("event_id", sa.UUID(), nullable=True),
        sa.CheckConstraint(
            "state IN ('WAITING','FED','DONE','FAILED','REJECTED','CANCELLED')", name=op.f("ck_import_lines_state")
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "import_id"],
            ["imports.project_id", "imports.id"],
            name="fk_import_lines_project_id_import_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "import_id", "line", "part", name="pk_import_lines"),
        postgresql_with={"fillfactor": "80", "autovacuum_vacuum_scale_factor": "0.05"},
    )
    key = ["project_id", "import_id"]
    op.create_index(
        "ix_import_lines_waiting",
        "import_lines",
        [*key, "block", "said_from", "line", "part"],
        postgresql_where=sa.text("state = 'WAITING'"),
    )
    op.create_index("ix_import_lines_fed", "import_lines", key, postgresql_where=sa.text("state = 'FED'"))
    op.create_index(
        "ix_import_lines_faulty",
        "import_lines",
        [*key, "line", "part"],
        postgresql_where=sa.text("state IN ('REJECTED','FAILED')"),
    )


def downgrade() -> None:
    """Imports are forgotten; what they brought stays."""
    op.drop_table("import_lines")
    op.drop_table("imports")
