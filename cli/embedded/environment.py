"""What children may see of the caller's environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

_SERVICE_PREFIXES = (
    *("FLUMES_", "MEM0_", "OPENAI_", "AZURE_OPENAI_", "PG", "POSTGRES", "DATABASE_", "SQLALCHEMY_", "ALEMBIC_"),
    *(
        "REDIS",
        "VALKEY",
        "CELERY",
        "QDRANT",
        "UVICORN_",
        "WEB_CONCURRENCY",
        "FORWARDED_ALLOW_IPS",
        "PROMETHEUS_",
        "OTEL_",
    ),
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "no_proxy")
_ROOT = Path(__file__).resolve().parents[2]
_LOCAL = "127.0.0.1,localhost,::1"


def isolated(environ: Mapping[str, str], *, keep_model: bool = False) -> dict[str, str]:
    """The environment without any service variable: what the demo and the tests run in.

    `keep_model`: the key and address of the chat model stay, and the proxies on the way there.
    """
    return {name: value for name, value in environ.items() if not _is_service(name) or (keep_model and _is_model(name))}


def _is_service(name: str) -> bool:
    return name.startswith(_SERVICE_PREFIXES) or name.lower() in _PROXIES


def _is_model(name: str) -> bool:
    return name.startswith("OPENAI_") or name.lower() in _PROXIES


def server(environ: Mapping[str, str]) -> dict[str, str]:
    """For Postgres and Valkey: the search path and nothing that could configure them."""
    return {"PATH": environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def drop_libpq(environ: MutableMapping[str, str]) -> None:
    """Take PGPORT and its kin out of this very process, which is about to connect to an embedded Postgres."""
    for name in [name for name in environ if name.startswith("PG")]:
        del environ[name]


def program(environ: Mapping[str, str], *, own_database: bool, extra: Mapping[str, str]) -> dict[str, str]:
    """For our own processes: the caller's settings plus `extra`; calls to this machine never leave through a proxy.

    `own_database`: libpq variables would bend the connection to the embedded Postgres, so they are dropped.
    """
    foreign = ("CELERY", "PG") if own_database else ("CELERY",)  # CELERY_BROKER_URL would win over ours
    kept = {k: v for k, v in environ.items() if not k.startswith(foreign)}
    present = kept.get("no_proxy") or kept.get("NO_PROXY")
    quiet = f"{present},{_LOCAL}" if present else _LOCAL
    return {**kept, "no_proxy": quiet, "NO_PROXY": quiet, "PYTHONUNBUFFERED": "1", **_imports(kept), **extra}


def _imports(kept: Mapping[str, str]) -> dict[str, str]:
    """Our packages come from where this one lies; a folder named `workers` where the caller stands must not win."""
    given = kept.get("PYTHONPATH")
    return {"PYTHONPATH": f"{_ROOT}{os.pathsep}{given}" if given else str(_ROOT), "PYTHONSAFEPATH": "1"}
