"""What the house tests look at: the repository's own text files, found by walking, so that it works without git."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ("api", "workers", "shared", "cli")
LEFT_BY_TOOLS = {"__pycache__", ".git", "node_modules", "build", "dist"}


def files(*tops: str, suffix: str = "") -> Iterator[Path]:
    """Files below the folders `tops` (all of the repository when none is named), without what tools and runs leave."""
    for top in tops or (".",):
        for folder, inner, names in os.walk(ROOT / top):
            inner[:] = sorted(name for name in inner if not left_by_tools(name))
            yield from (Path(folder) / name for name in sorted(names) if name.endswith(suffix))


def left_by_tools(name: str) -> bool:
    return name in LEFT_BY_TOOLS or name.endswith("_cache") or name.startswith((".venv", ".flumes", ".hypothesis"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text(path: Path) -> str | None:
    """The file's text, None for what is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
