"""Messages may be kept beside the statements made of them, as rows of the state `source`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATES = "'current','retracted','replaced','deleted'"


def upgrade() -> None:
    """Expand: one more state, and the indexes of its rows."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    _allow(f"{_STATES},'source'")
    op.create_index(
        "uq_memories_source_hash",
        "memories",
        ["project_id", "scope_id", "hash"],
        unique=True,
        postgresql_where=sa.text("state = 'source'"),
    )
    op.create_index(
        "ix_memories_source",
        "memories",
        ["project_id", sa.text("created_at DESC"), sa.text("id DESC")],
        postgresql_where=sa.text("state = 'source'"),
    )


def downgrade() -> None:
    """The kept messages go; the messages themselves stay."""
    op.execute("DELETE FROM memories WHERE state = 'source'")
    op.drop_index("ix_memories_source", table_name="memories")
    op.drop_index("uq_memories_source_hash", table_name="memories")
    _allow(_STATES)


def _allow(states: str) -> None:
    for name in ("ck_memories_state", "ck_memories_ck_memories_state"):  # the second is what the first migration made
        op.execute(f"ALTER TABLE memories DROP CONSTRAINT IF EXISTS {name}")
    op.execute(f"ALTER TABLE memories ADD CONSTRAINT ck_memories_state CHECK (state IN ({states})) NOT VALID")
    op.execute("ALTER TABLE memories VALIDATE CONSTRAINT ck_memories_state")
