"""The naming convention and the columns that tables share."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_NOW = sa.text("clock_timestamp()")
ID_COLUMNS = ("user_id", "agent_id", "app_id", "run_id")


def uuid_column(name: str, **kwargs: bool) -> sa.Column[object]:
    return sa.Column(
        name, pg.UUID(as_uuid=True), nullable=kwargs.get("nullable", False), primary_key=kwargs.get("pk", False)
    )


def time_column(name: str, *, now: bool = False, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(
        name, sa.TIMESTAMP(timezone=True), nullable=nullable and not now, server_default=_NOW if now else None
    )


def count_column(name: str, kind: type[sa.types.TypeEngine[int]] = sa.Integer, start: int = 0) -> sa.Column[int]:
    return sa.Column(name, kind, nullable=False, server_default=sa.text(str(start)))


def json_column(name: str, default: str | None = "{}") -> sa.Column[object]:
    return sa.Column(
        name,
        pg.JSONB,
        nullable=default is None,
        server_default=None if default is None else sa.text(f"'{default}'::jsonb"),
    )


def id_columns() -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text) for name in ID_COLUMNS]


def belongs_to(table: str, *columns: str, cascade: bool = True) -> sa.ForeignKeyConstraint:
    parents = ["project_id", "id"] if len(columns) == 2 else ["id"]
    return sa.ForeignKeyConstraint(
        list(columns), [f"{table}.{parent}" for parent in parents], ondelete="CASCADE" if cascade else None
    )
