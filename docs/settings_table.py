"""Writes `docs/settings.md` from `shared/settings.py`, so that the two cannot drift apart (`make docs`).

A test compares the page with what this renders.
"""

from __future__ import annotations

import inspect
import re
import typing
from pathlib import Path

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from shared import settings

PAGE = Path(__file__).with_name("settings.md")
HEAD = """# Settings

Every setting is an environment variable, read once at start and checked; a wrong value stops the process and is named.
An empty variable counts as absent. Any of them may come from a file instead: `FLUMES_NAME_FILE=/path` (for `OPENAI_*`
also `OPENAI_NAME_FILE`) stands for the file's content, stripped; the variable itself wins over the file.
Durations are seconds, sizes bytes. `flumes up` sets the addresses of the parts it starts; a part whose address is given
is not started.

This page is rendered from `shared/settings.py` by `make docs`.
"""
FOOT = """
Combinations that are refused at start: `FLUMES_INSECURE_DEV` with another host than 127.0.0.1; an attempt deadline
below the chat call's timeout; `FLUMES_EXTRACTOR=openai` without a key or base URL; `FLUMES_EMBEDDINGS=openai` without
either.
"""


def render() -> str:
    """The whole page: one table for each group of fields."""
    parts = [HEAD]
    for title, names in groups():
        parts.append(f"\n## {title}\n\n| variable | default | allowed | what it is |\n| --- | --- | --- | --- |\n")
        parts.extend(row(name, settings.Settings.model_fields[name]) for name in names)
    return "".join([*parts, FOOT])


def groups() -> list[tuple[str, list[str]]]:
    """The fields under the `# --- title` comments of the class, in the order of the source."""
    found: list[tuple[str, list[str]]] = []
    for line in inspect.getsource(settings.Settings).splitlines():
        if title := re.match(r"    # --- (.+)", line):
            found.append((title[1].capitalize(), []))
        elif (field := re.match(r"    (\w+): ", line)) and field[1] in settings.Settings.model_fields:
            found[-1][1].append(field[1])
    return found


def row(name: str, field: FieldInfo) -> str:
    variables = ", ".join(f"`{env}`" for env in settings.env_names(name, field))
    return f"| {variables} | {default(field)} | {allowed(field)} | {escaped(field.description or '')} |\n"


def default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    if field.default is None or field.default == "" or isinstance(field.default, SecretStr):
        return "none"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return f"`{field.default}`"


def allowed(field: FieldInfo) -> str:
    choices = typing.get_args(field.annotation) if typing.get_origin(field.annotation) is typing.Literal else ()
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    if field.annotation is bool:
        return "`true`, `false`"
    return ", ".join(filter(None, (bound(item) for item in field.metadata)))


def bound(item: object) -> str:
    match item:
        case Ge():
            return f"≥ {item.ge}"
        case Gt():
            return f"> {item.gt}"
        case Le():
            return f"≤ {item.le}"
        case Lt():
            return f"< {item.lt}"
        case _:
            return ""


def escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
