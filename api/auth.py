"""Who calls: API keys in any of three headers, checked against the database, remembered for a few seconds.

`Authorization: Bearer` speaks Flumes, `Authorization: Token` and `X-API-Key` speak mem0; all open the same key table.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal
from uuid import UUID

from api.strangers import Strangers
from shared import clock
from shared.db import keys, projects, tenancy
from shared.db.engine import ApiDatabase, Session
from shared.db.keys import RIGHTS, ApiKey
from shared.db.projects import Project
from shared.errors import Forbidden, NotFound, Overloaded, ServiceError, Unauthorized
from shared.model.scope import ScopeIds
from shared.model.seal import Seal, sealed

Scheme = Literal["bearer", "token", "x-api-key", "none"]

_FRESH = 4.0  # seconds a good key is believed: a revoked one stops within five
_BAD = 1.0  # seconds an unknown key is refused without asking again
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller. `user_id`, `agent_id`: the only ones it may touch, None = any.

    `seal`: makes what stands for an id, or for a request's key, once it is erased.
    """

    project: Project
    key: str  # public id, or "insecure-dev"
    rights: frozenset[str]
    scheme: Scheme
    user_id: str | None = None
    agent_id: str | None = None
    seal: Seal = field(default=Seal(""), repr=False, compare=False)

    @property
    def project_id(self) -> UUID:
        return self.project.id

    def demand(self, right: str) -> None:
        """Raises `Forbidden` unless this key has the right; `admin` has all."""
        if right not in self.rights and "admin" not in self.rights:
            raise Forbidden(f"this key lacks the right `{right}`", code="missing_right", extra={"right": right})

    def demand_unbound(self) -> None:
        """Raises `Forbidden` for a key that is bound to a user or agent: this is about the whole project."""
        if self.user_id is not None or self.agent_id is not None:
            raise Forbidden("this key is bound to a user or agent", code="bound_key")

    def narrow(self, ids: ScopeIds) -> ScopeIds:
        """These ids with the bound ones filled in. Raises `Forbidden` when they name somebody else."""
        for name in ("user_id", "agent_id"):
            bound, given = getattr(self, name), getattr(ids, name)
            if bound is not None and given not in (None, bound):
                raise Forbidden(f"this key is bound to another {name}", code="bound_key", field=name)
        return ScopeIds(self.user_id or ids.user_id, self.agent_id or ids.agent_id, ids.app_id, ids.run_id)

    def owns(self, ids: ScopeIds) -> bool:
        """Whether something with these ids, or with what stands for them, is within what this key may see."""
        return self._is("user_id", ids.user_id) and self._is("agent_id", ids.agent_id)

    def _is(self, name: str, value: str | None) -> bool:
        bound: str | None = getattr(self, name)
        if bound is None or value == bound:
            return True
        return sealed(value) and value == self.seal.entity(self.project_id, name, bound)

    def must_own(self, ids: ScopeIds | None, missing: NotFound) -> None:
        """Raises `missing` for what is not there and for what another bound key owns: the caller cannot tell."""
        if ids is None or not self.owns(ids):
            raise missing


@dataclass(frozen=True, slots=True)
class _Known:
    key: ApiKey | None
    project: Project | None
    until: float


class Keyring:
    """Turns headers into a `Caller`; good keys are cached by the hash of the token, never by the token."""

    def __init__(
        self, db: ApiDatabase, pepper: str, *, insecure_dev: bool = False, strangers: Strangers | None = None
    ) -> None:
        """`strangers`: limits callers who keep trying keys nobody knows."""
        self._db = db
        self._strangers = strangers or Strangers(0)
        self._one_at_a_time = asyncio.Lock()
        self._pepper = pepper
        self._seal = Seal(pepper)
        self._insecure = insecure_dev
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._dev: Project | None = None

    async def caller(self, headers: Mapping[str, str], client: str | None) -> Caller:
        """The caller behind these headers. Raises `Unauthorized`, `Overloaded`, `Unavailable`."""
        scheme, token = _token(headers)
        address = self._strangers.address(client, headers)
        known = await self._lookup(token, address) if token else None
        if known is not None and known.key is not None and known.project is not None:
            key = known.key
            return Caller(
                known.project, key.public_id, frozenset(key.rights), scheme, key.user_id, key.agent_id, self._seal
            )  # fmt: skip
        if self._insecure and _is_local(client) and not {"origin", "x-forwarded-for"} & set(headers):
            if self._dev is None:
                with tenancy.across(tenancy.Role.OPERATOR):
                    self._dev = await self._db.run(projects.ensure)
            return Caller(self._dev, "insecure-dev", frozenset(RIGHTS), scheme, seal=self._seal)
        if not token:
            raise Unauthorized("an API key is needed: `Authorization: Bearer <key>`", code="missing_key")
        raise self._refusal(token, address)

    def _refusal(self, token: str, address: str) -> ServiceError:
        """A bad key; one too many from this address, or for this key, is told to stay away for a while."""
        parts = keys.parse(token)
        seconds = self._strangers.knocked(address, parts[0] if parts else None)
        if seconds > 0:
            detail = "too many unknown keys from this address, or for this key"
            return Overloaded(detail, code="too_many_bad_keys", retry_after=seconds)
        return Unauthorized("this API key is not known, expired or revoked", code="invalid_key")

    def forget(self, project_id: UUID) -> None:
        """Its settings were changed here: look again at the next call."""
        self._known = OrderedDict(
            (name, known)
            for name, known in self._known.items()
            if known.project is None or known.project.id != project_id
        )
        self._dev = None

    async def _lookup(self, token: str, address: str) -> _Known | None:
        if keys.parse(token) is None:
            return None
        name = hashlib.sha256(token.encode()).digest()
        known = self._known.get(name)
        if known is None or known.until < time.monotonic():
            known = await self._ask_in_turn(token, address)
            self._known[name] = known
            self._known.move_to_end(name)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        expires = known.key.expires_at if known.key else None
        return None if expires is not None and expires <= clock.now() else known

    async def _ask_in_turn(self, token: str, address: str) -> _Known:
        """Addresses past their limit share one connection for keys not seen lately: a flood keeps nobody else out."""
        if not self._strangers.is_past(address):
            return await self._ask(token)
        async with self._one_at_a_time:
            return await self._ask(token)

    async def _ask(self, token: str) -> _Known:
        asked = time.monotonic()

        def work(session: Session) -> tuple[ApiKey | None, Project | None]:
            key = keys.find(session, token, self._pepper)
            return key, projects.get(session, key.project_id) if key else None

        with tenancy.across(tenancy.Role.KEYS):
            key, project = await self._db.run(work)
        return _Known(key, project, asked + (_FRESH if key else _BAD))


def _token(headers: Mapping[str, str]) -> tuple[Scheme, str]:
    scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return "bearer", rest.strip()
    if scheme.lower() == "token":
        return "token", rest.strip()
    given = headers.get("x-api-key", "").strip()
    return ("x-api-key", given) if given else ("none", "")


def _is_local(client: str | None) -> bool:
    """Only callers of this machine; None = a Unix socket."""
    if client is None:
        return True
    try:
        return ip_address(client).is_loopback
    except ValueError:
        return False
