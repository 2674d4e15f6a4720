"""Find out without a scan whether a window spans the moment at which a current memory was observed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: one index."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.create_index(
        "ix_memories_scope_observed",
        "memories",
        ["project_id", "scope_id", "observed_at"],
        postgresql_where=sa.text("state = 'current'"),
    )


def downgrade() -> None:
    """Nothing is lost with it but speed."""
    op.drop_index("ix_memories_scope_observed", table_name="memories")
