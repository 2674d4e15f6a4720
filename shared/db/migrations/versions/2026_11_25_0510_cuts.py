"""Where a lane's next window is cut, since when an event fails, and by what the data of the index go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005.1"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: columns that are NULL or false until a worker of this release writes them."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    for name in ("cut_live", "cut_bulk"):
        op.add_column("scopes", sa.Column(name, sa.SmallInteger(), nullable=True))
    op.add_column("events", sa.Column("failing_since", sa.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("index_collections", sa.Column("epoch", sa.UUID(), nullable=True))
    op.add_column("index_collections", sa.Column("refilling", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """Windows are narrowed from their full size again, ages count from now, a lost index is found by `verify`."""
    for name in ("refilling", "epoch"):
        op.drop_column("index_collections", name)
    op.drop_column("events", "failing_since")
    for name in ("cut_live", "cut_bulk"):
        op.drop_column("scopes", name)
