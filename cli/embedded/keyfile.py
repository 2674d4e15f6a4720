"""Secrets that live as files in the data directory, readable by their owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def read_secret(path: Path) -> str | None:
    """The stored secret, None when there is none."""
    try:
        return path.read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None


def write_secret(path: Path, value: str) -> None:
    """Store it 0600, whole or not at all, and on disk when this returns."""
    partial = path.with_name(f"{path.name}.part")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{value}\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def secret_once(path: Path) -> str:
    """The stored secret, made at the first call."""
    found = read_secret(path)
    if found is None:
        found = secrets.token_urlsafe(32)
        write_secret(path, found)
    return found
