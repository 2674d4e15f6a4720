"""`flumes up`: the whole service on this machine until Ctrl-C."""

from __future__ import annotations

import os
import socket

from cli.embedded.deployment import Deployment
from cli.embedded.durability import refuse_unsafe
from cli.embedded.environment import drop_libpq
from cli.embedded.listener import listen
from cli.embedded.lock import DataDirLock
from cli.embedded.part import Part
from cli.embedded.paths import Layout, make_data_dir, settle
from cli.embedded.services import remove_note, write_note
from cli.embedded.signals import StopAsked, StopSignals
from cli.embedded.supervisor import Supervisor
from cli.screen import Screen
from shared.settings import Settings


def run(settings: Settings, workers: int) -> None:
    """Serve until a signal. Raises EmbeddedError when it cannot start; everything that ran is stopped then, too."""
    data_dir = make_data_dir(settings.data_dir)
    if not settings.database_url:
        drop_libpq(os.environ)
    with DataDirLock(data_dir / "lock"), listen(settings.host, settings.port) as listener, StopSignals() as signals:
        _serve(settle(data_dir, system_home=settings.system_home), settings, listener, signals, workers)


def _serve(layout: Layout, settings: Settings, listener: socket.socket, signals: StopSignals, workers: int) -> None:
    screen = Screen()
    deployment = Deployment(layout, settings, os.environ)
    supervisor = Supervisor(signals, screen.note)
    try:
        screen.starting(layout.data_dir, [part.name for part in deployment.servers()])
        key, api = boot(deployment, supervisor, listener, workers)
        screen.serving(api.url, key, settings, layout.logs)
        supervisor.watch()
    except StopAsked:
        signals.asked = True
    finally:
        if signals.asked:
            screen.stopping()
        remove_note(layout.run)
        supervisor.shut_down()
    screen.stopped()


def boot(
    deployment: Deployment, supervisor: Supervisor, listener: socket.socket, workers: int
) -> tuple[str | None, Part]:
    """Start all parts, bring the database up to date, make the first key; that key (None: revoked) and the API.

    Raises EmbeddedError or StopAsked; the supervisor then holds what has to be shut down.
    """
    servers = deployment.servers()
    supervisor.spawn(servers)
    from cli.embedded.first_key import first_key  # half a second of imports, while the servers start
    from shared.db import migrate

    supervisor.wait(servers)
    refuse_unsafe(deployment.database_url)
    migrate.upgrade(deployment.database_url, deployment.runtime_url)
    key = first_key(deployment.database_url, deployment.layout.data_dir, deployment.pepper)
    write_note(deployment.layout.run, deployment.services())
    programs = deployment.programs(listener, workers)
    supervisor.spawn(programs)
    supervisor.wait(programs)
    return key, programs[0]
