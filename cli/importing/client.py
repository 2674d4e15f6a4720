"""The import API as the command speaks it: pieces are sent until they are kept, whatever happens in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx2

from cli.embedded.errors import EmbeddedError

_PATIENCE = 300.0  # seconds a server may be away before the command gives up
_LONGEST_PAUSE = 15.0
_AGAIN = (429, 500, 502, 503, 504)

Say = Callable[[str], None]


class Client:
    """Calls one server with one key. Every answer that ends the command raises EmbeddedError saying why."""

    def __init__(self, url: str, key: str, say: Say) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.Client(base_url=url.rstrip("/"), headers=headers, timeout=120)
        self._say = say

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def send(self, piece: bytes, options: dict[str, Any]) -> dict[str, Any]:
        """Lines as gzip; the import as it stands then."""
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
        return self._call("POST", "/v1/imports/", params=options, content=piece, headers=headers)

    def get(self, import_id: str, after: str = "") -> dict[str, Any]:
        """The import with its faults after `LINE.PART`."""
        return self._call("GET", f"/v1/imports/{import_id}/", params={"after": after} if after else {})

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """Imports, newest first."""
        found: list[dict[str, Any]] = self._call("GET", "/v1/imports/", params={"limit": limit})["results"]
        return found

    def move(self, import_id: str, to: str, **query: int | None) -> dict[str, Any]:
        """`pause`, `resume` or `cancel`."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._call("POST", f"/v1/imports/{import_id}/{to}/", params=given)

    def faults(self, import_id: str) -> Iterable[dict[str, Any]]:
        """All faulty lines."""
        after = "0.0"
        while found := self.get(import_id, after)["faults"]:
            yield from found
            after = f"{found[-1]['line']}.{found[-1]['part']}"

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Asked again while the server is away or busy: lines that were kept already count once."""
        until, pause = time.monotonic() + _PATIENCE, 0.5
        while True:
            answer: httpx2.Response | None = None
            try:
                answer = self._http.request(method, path, **more)
            except httpx2.TransportError as error:
                why = f"{self._http.base_url} does not answer ({type(error).__name__})"
            else:
                if answer.status_code not in _AGAIN:
                    return _json(answer)
                why = _detail(answer)
            if time.monotonic() + pause > until:
                raise EmbeddedError(f"{why}; the same command goes on where this one stopped")
            self._say(f"{why}; trying again")
            time.sleep(_asked(answer) or pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


def _asked(answer: httpx2.Response | None) -> float:
    text = answer.headers.get("retry-after", "") if answer is not None else ""
    return min(float(text), _LONGEST_PAUSE) if text.isdigit() else 0.0


def _json(answer: httpx2.Response) -> dict[str, Any]:
    if answer.status_code >= 400:
        raise EmbeddedError(_detail(answer))
    try:
        body: dict[str, Any] = answer.json()
    except ValueError:
        raise EmbeddedError(f"{answer.request.url} does not answer like Flumes; is --url right?") from None
    return body


def _detail(answer: httpx2.Response) -> str:
    try:
        said = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        said = answer.text[:200] or answer.reason_phrase
    return f"the server answers {answer.status_code}: {said}"
