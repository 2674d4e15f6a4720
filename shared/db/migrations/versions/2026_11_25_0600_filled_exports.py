"""Keep what a model filled in for an export, and of which memories."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0006"
down_revision = "0005.1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: two columns that may be empty."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.add_column("memory_exports", sa.Column("filled", pg.JSONB, nullable=True))
    op.add_column("memory_exports", sa.Column("filled_of", sa.Text(), nullable=True))


def downgrade() -> None:
    """What was filled in is asked for again."""
    op.drop_column("memory_exports", "filled_of")
    op.drop_column("memory_exports", "filled")
