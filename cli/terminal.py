"""What every command shares towards the person at the terminal: settings from options, errors without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.embedded.errors import EmbeddedError

if TYPE_CHECKING:
    from shared.settings import Settings

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the data lives [FLUMES_DATA_DIR, ./.flumes].")]


@contextmanager
def plain_errors() -> Iterator[None]:
    """An expected error becomes one sentence on stderr and exit code 1."""
    from shared.errors import ServiceError

    try:
        yield
    except (EmbeddedError, ServiceError) as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        raise typer.Exit(1) from None


def load_settings(**options: Any) -> Settings:
    """Settings from the environment, with the options that were given on top. Raises EmbeddedError naming a bad one."""
    from pydantic import ValidationError

    from shared.settings import Settings

    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        lines = [f"{_variable(fault['loc'])}{fault['msg']}" for fault in error.errors()]
        raise EmbeddedError("bad settings: " + "; ".join(lines)) from None


def _variable(location: tuple[int | str, ...]) -> str:
    if not location:
        return ""
    name = str(location[0])
    return f"{name if name.isupper() else f'FLUMES_{name.upper()}'}: "
