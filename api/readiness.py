"""Is everything there? Each dependency by name; only Postgres and its schema decide whether the API can serve."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import cache
from typing import Any

from api.deps import Parts
from shared.db import breakers, migrate
from shared.db.breakers import Breaker
from shared.db.engine import Session
from shared.db.spend import CODE, PREFIX
from shared.errors import ServiceError
from shared.settings import Settings

_PATIENCE = 1.5  # seconds for each dependency

Check = dict[str, Any]

_head, _known = cache(migrate.head), cache(migrate.known)  # files of this release: they do not change


@dataclass(frozen=True, slots=True)
class Report:
    """`serves`: the API can take and answer requests; `checks` by dependency."""

    serves: bool
    checks: dict[str, Check]

    def body(self) -> dict[str, Any]:
        """The answer of /readyz."""
        fine = all(check["status"] in ("ok", "off") for check in self.checks.values())
        return {"status": ("ready" if fine else "degraded") if self.serves else "unavailable", "checks": self.checks}


async def check(parts: Parts) -> Report:
    """Look at every dependency at once; none can hold the answer for long."""
    (postgres, found), qdrant = await asyncio.gather(_postgres(parts), _qdrant(parts))
    capped = [item for item in found if item.provider.startswith(PREFIX)]
    open_breakers = [item for item in found if item not in capped]
    connected = parts.listener.connected and parts.ringer.healthy
    redis = _fine() if connected else _away("redis_unreachable", "workers and waiters poll meanwhile")
    checks = {
        "postgres": postgres,
        "redis": redis,
        "qdrant": qdrant,
        "extractor": _guarded(_extractor(parts.settings), open_breakers, "llm"),
        "embeddings": _guarded(_embeddings(parts.settings), open_breakers, "embeddings"),
        "breakers": {"status": "open" if open_breakers else "ok", "open": [_breaker(item) for item in open_breakers]},
        "spend": _spend(capped),
    }
    return Report(postgres["status"] == "ok", checks)


async def _postgres(parts: Parts) -> tuple[Check, list[Breaker]]:
    failed = await _bounded(parts.db.run(_schema))
    if isinstance(failed, str):
        return _away(failed, "nothing works without it"), []
    revision, found = failed
    check = {"revision": revision, "expected": _head()}
    if revision == check["expected"]:
        return _fine() | check, found
    if revision is not None and revision not in _known():
        return _fine() | check | {"reason": "the schema is of a newer release"}, found
    return {"status": "down", "code": "schema_outdated", "reason": "run `flumes migrate`"} | check, found


def _schema(session: Session) -> tuple[str | None, list[Breaker]]:
    revision = migrate.current(session.connection())
    return revision, breakers.listing(session) if revision == _head() else []


async def _qdrant(parts: Parts) -> Check:
    failed = await _bounded(parts.searcher.ping())
    if isinstance(failed, str):
        return _away(failed, "search answers 503 and new memories are indexed later")
    return _fine()


async def _bounded(work: Awaitable[Any]) -> Any:
    """The result, or the code of why there is none within the patience."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await work
    except ServiceError as error:
        return error.code
    except TimeoutError:
        return "timeout"


def _extractor(settings: Settings) -> Check:
    name = settings.extractor_name
    if name == "rules":
        return {"status": "ok", "name": name, "model": None, "reason": "deterministic rules; no model is configured"}
    return {"status": "ok", "name": name, "model": settings.llm_model}


def _embeddings(settings: Settings) -> Check:
    name = settings.embeddings_name
    if name == "none":
        return {"status": "off", "name": name, "model": None, "reason": "search is BM25 only"}
    return {"status": "ok", "name": name, "model": settings.embeddings_model}


def _guarded(found: Check, open_breakers: list[Breaker], word: str) -> Check:
    for breaker in open_breakers:
        if word in breaker.provider:
            return found | {"status": "down", "code": breaker.code, "retry_in": round(breaker.wait, 1)}
    return found


def _breaker(item: Breaker) -> Check:
    return {"provider": item.provider, "code": item.code, "failures": item.failures, "retry_in": round(item.wait, 1)}


def _spend(capped: list[Breaker]) -> Check:
    """Projects whose work waits for their ceiling on tokens; the service itself is fine."""
    if not capped:
        return _fine() | {"capped": 0}
    return _fine() | {"capped": len(capped), "code": CODE, "retry_in": round(min(item.wait for item in capped), 1)}


def _fine() -> Check:
    return {"status": "ok"}


def _away(code: str, reason: str) -> Check:
    return {"status": "down", "code": code, "reason": reason}
