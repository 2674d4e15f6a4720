"""The servers a command works on: those the settings name, those of a running `flumes up`, else started meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.embedded.deployment import Deployment
from cli.embedded.environment import drop_libpq
from cli.embedded.errors import EmbeddedError
from cli.embedded.lock import DataDirLock
from cli.embedded.paths import make_data_dir, settle
from cli.embedded.services import read_note
from cli.embedded.signals import StopAsked, StopSignals
from cli.embedded.supervisor import Supervisor
from cli.terminal import load_settings
from shared.settings import Settings, get_settings


@contextmanager
def services(settings: Settings, *, index: bool) -> Iterator[Settings]:
    """Settings that name a running database, with `index` also the vector index and Redis.

    While the block runs, `get_settings()` says the same. Raises EmbeddedError when there is nothing to work on.
    """
    if settings.database_url and (settings.qdrant_url or not index):
        owner = settings.owner_database_url or settings.database_url  # an operator is not held by the tenants' walls
        yield settings.model_copy(update={"database_url": owner})
        return
    if not settings.database_url:
        drop_libpq(os.environ)
    data_dir = settings.data_dir.expanduser().resolve()
    if not (data_dir / "lock").exists():
        raise EmbeddedError(f"nothing in {data_dir} yet; `flumes up` first, or --data-dir, or FLUMES_DATABASE_URL")
    try:
        lock = DataDirLock(data_dir / "lock")
    except EmbeddedError:
        with _told(_running(data_dir)) as told:
            yield told
        return
    with lock, _started(data_dir, settings) as told:
        yield told


def _running(data_dir: Path) -> Mapping[str, str]:
    note = read_note(data_dir / "run")
    if note is None:
        raise EmbeddedError(f"the flumes on {data_dir} is starting or stopping; try again in a moment")
    return note


@contextmanager
def _started(data_dir: Path, settings: Settings) -> Iterator[Settings]:
    with StopSignals() as signals:
        deployment = Deployment(settle(make_data_dir(data_dir), system_home=settings.system_home), settings, os.environ)
        supervisor = Supervisor(signals, lambda _: None)
        try:
            supervisor.spawn(deployment.servers())
            supervisor.wait(deployment.servers())
            with _told(deployment.services()) as told:
                yield told
        except StopAsked:
            raise EmbeddedError("interrupted") from None
        finally:
            supervisor.shut_down()


@contextmanager
def _told(services: Mapping[str, str]) -> Iterator[Settings]:
    before = dict(os.environ)
    os.environ.update(services)
    get_settings.cache_clear()
    try:
        yield load_settings()
    finally:
        os.environ.clear()
        os.environ.update(before)
        get_settings.cache_clear()
