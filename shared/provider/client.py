"""One POST to an OpenAI-compatible server: bounded in time, thread-safe, no retries of its own.

An HTTP answer of any status is a `Reply`; only a transport that fails raises. Retrying is the state machine's business.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import openai
import orjson

from shared.errors import Snooze
from shared.provider.deadline import bounded_client, time_limit
from shared.provider.pause import Pause

OPENAI_URL = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers (case-insensitive) and raw body of an HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ProviderClient:
    """A lazy client per process: an instance made before a fork is safe to use after it.

    provider: `llm` or `embeddings`, named in every error.
    """

    def __init__(self, provider: str, base_url: str | None, api_key: str | None, timeout: float) -> None:
        self.provider = provider
        self.base_url = (base_url or OPENAI_URL).rstrip("/")
        self._api_key = api_key or "none"  # servers without keys still get a well-formed header
        self._timeout = timeout
        self._clients: dict[int, openai.OpenAI] = {}
        self._pause = Pause(provider)

    def post(self, path: str, body: Mapping[str, Any], timeout: float | None = None) -> Reply:
        """The answer to a JSON body; Snooze `provider_timeout` or `provider_unavailable` when there is none.

        While an earlier answer's `Retry-After` lasts, nobody is asked: Snooze with the seconds left.
        """
        self._pause.keep()
        content = orjson.dumps(body)
        client = self._client()
        failure: Snooze
        try:
            with time_limit(timeout or self._timeout):
                response = client.post(path, content=content, cast_to=httpx2.Response, options=_JSON)
            return Reply(response.status_code, response.headers, response.content)
        except openai.APIStatusError as error:
            self._pause.note(error.response.status_code, error.response.headers)
            return Reply(error.response.status_code, error.response.headers, error.response.content)
        except openai.APITimeoutError:
            failure = self._away("did not answer in time", "provider_timeout")
        except (openai.APIConnectionError, httpx2.HTTPError):
            failure = self._away("could not be reached or broke off", "provider_unavailable")
        raise failure  # outside of the handlers: the chained error would carry the request

    def _away(self, what: str, code: str) -> Snooze:
        code = "embeddings_unavailable" if self.provider == "embeddings" else code
        return Snooze(f"the {self.provider} provider {what}", code=code, provider=self.provider)

    def _client(self) -> openai.OpenAI:
        pid = os.getpid()
        client = self._clients.get(pid)
        if client is None:
            client = self._clients.setdefault(pid, self._make())
        return client

    def _make(self) -> openai.OpenAI:
        timeout = httpx2.Timeout(self._timeout, connect=min(5.0, self._timeout), pool=2.0)
        limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=30)
        http = bounded_client(timeout=timeout, limits=limits, trust_env=not _is_local(self.base_url))
        return openai.OpenAI(
            api_key=self._api_key, base_url=self.base_url, http_client=http, timeout=timeout, max_retries=0
        )

    def close(self) -> None:
        """Drop this process's connections; the next call opens new ones."""
        client = self._clients.pop(os.getpid(), None)
        if client is not None:
            client.close()


_JSON: Any = {"headers": {"Content-Type": "application/json"}}


def is_openai(url: str) -> bool:
    """OpenAI's own address, regional ones included."""
    host = httpx2.URL(url).host
    return host == "api.openai.com" or host.endswith(".api.openai.com")


def _is_local(url: str) -> bool:
    """A proxy of the environment is not asked for a server on this machine."""
    host = httpx2.URL(url).host
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
