"""`flumes keys`: make, list and revoke API keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cli.embedded.errors import EmbeddedError
from cli.terminal import DataDir, load_settings, plain_errors

if TYPE_CHECKING:
    from shared.db.engine import Session

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)

T = TypeVar("T")


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for.")] = "",
    project: Annotated[str, typer.Option(help="Project (tenant); made when it is new.")] = "default",
    rights: Annotated[str, typer.Option(help="Comma-separated.")] = "ingest,read,delete,admin",
    user_id: Annotated[str | None, typer.Option(help="The only user this key may touch.")] = None,
    agent_id: Annotated[str | None, typer.Option(help="The only agent this key may touch.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a key; it is printed once and stored nowhere."""
    from shared.db import keys, projects

    expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
    wanted = [right.strip() for right in rights.split(",") if right.strip()]

    def work(session: Session, pepper: str) -> str:
        return keys.create(
            session,
            projects.ensure(session, project).id,
            pepper,
            name=name,
            rights=wanted,
            user_id=user_id,
            agent_id=agent_id,
            expires_at=expires,
        )

    typer.echo(_with_database(data_dir, work))


@app.command("list")
def listing(data_dir: DataDir = None) -> None:
    """All keys, newest first; never their secrets."""
    from shared.db import keys

    for key in _with_database(data_dir, lambda session, _: keys.listing(session)):
        state = "revoked" if key.revoked_at else _expiry(key.expires_at)
        bound = " ".join(f"{k}={v}" for k, v in (("user", key.user_id), ("agent", key.agent_id)) if v)
        cells = [key.public_id, state, ",".join(key.rights), f"{key.created_at:%Y-%m-%d}", bound, key.name]
        typer.echo("  ".join(cell for cell in cells if cell))


@app.command()
def revoke(
    public_id: Annotated[str, typer.Argument(help="The twelve letters after `fm_live_`, as `keys list` shows them.")],
    data_dir: DataDir = None,
) -> None:
    """Revoke a key; within seconds no API process takes it any more."""
    from shared.db import keys

    if not _with_database(data_dir, lambda session, _: keys.revoke(session, public_id)):
        typer.secho(f"error: no live key {public_id}", fg="red", err=True)
        raise typer.Exit(1)
    typer.echo(f"revoked {public_id}")


def _with_database(data_dir: object, work: Callable[[Session, str], T]) -> T:
    """Run `work` with a session and the pepper, in one transaction."""
    with plain_errors():
        from cli.connect import services
        from shared.db import tenancy
        from shared.db.engine import Database

        with services(load_settings(data_dir=data_dir), index=False) as settings:
            pepper = settings.key_pepper.get_secret_value()
            if not pepper:
                raise EmbeddedError("set FLUMES_KEY_PEPPER to the value the API runs with")
            database = Database(settings.database_url, pool_size=2, name="flumes-keys", walls=True)
            try:
                with tenancy.across(tenancy.Role.OPERATOR):
                    return database.run(lambda session: work(session, pepper))
            except ValueError as error:
                raise EmbeddedError(str(error)) from None
            finally:
                database.close()


def _expiry(moment: datetime | None) -> str:
    if moment is None:
        return "live"
    return "expired" if moment <= datetime.now(UTC) else f"until {moment:%Y-%m-%d}"
