"""The tables of imports; private to `shared.db`. A line waits here until a worker hands it over as an event."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from shared.db.columns import belongs_to, count_column, id_columns, json_column, metadata, time_column, uuid_column

imports = sa.Table(
    "imports",
    metadata,
    uuid_column("project_id", pk=True),
    uuid_column("id", pk=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    json_column("options"),
    sa.Column("complete", sa.Boolean, nullable=False, server_default=sa.false()),
    *(
        count_column(name, sa.BigInteger)
        for name in ("lines", "groups", "messages", "rejected", "ended", "failed", "added", "updated", "deleted",
                     "calls", "input_tokens", "output_tokens")
    ),
    time_column("created_at", now=True),
    time_column("started_at"),
    time_column("completed_at"),
    time_column("received_at", now=True),
    belongs_to("projects", "project_id"),
    sa.UniqueConstraint("project_id", "name", name="uq_imports_name"),
    sa.CheckConstraint("state IN ('RUNNING','PAUSED','STOPPED','CANCELLED','DONE')", name="state"),
    sa.Index("ix_imports_running", "id", postgresql_where=sa.text("state = 'RUNNING'")),
    postgresql_with={"fillfactor": "50"},
)  # fmt: skip

import_lines = sa.Table(
    "import_lines",
    metadata,
    uuid_column("project_id", pk=True),
    uuid_column("import_id", pk=True),
    sa.Column("line", sa.BigInteger, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    *id_columns(),
    sa.Column("block", sa.BigInteger, nullable=False),
    time_column("said_from"),
    count_column("messages"),
    sa.Column("prepared", pg.JSONB),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("error", sa.Text),
    uuid_column("event_id", nullable=True),
    belongs_to("imports", "project_id", "import_id"),
    sa.CheckConstraint("state IN ('WAITING','FED','DONE','FAILED','REJECTED','CANCELLED')", name="state"),
    sa.Index("ix_import_lines_waiting", "project_id", "import_id", "block", "said_from", "line", "part",
             postgresql_where=sa.text("state = 'WAITING'")),
    sa.Index("ix_import_lines_fed", "project_id", "import_id", postgresql_where=sa.text("state = 'FED'")),
    sa.Index("ix_import_lines_faulty", "project_id", "import_id", "line", "part",
             postgresql_where=sa.text("state IN ('REJECTED','FAILED')")),
    postgresql_with={"fillfactor": "80", "autovacuum_vacuum_scale_factor": "0.05"},
)  # fmt: skip
