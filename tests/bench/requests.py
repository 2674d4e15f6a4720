"""Orders to the load generator that call the service: plain blocking HTTP, so that the meter sees the service work."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from tests.bench.names import exchange, name, shelf, turn
from tests.bench.pace import Missed, Sample, Turn, closed, steady

_TIMEOUT = 90.0
_FIRST_PER_CALLER = 100_000  # numbers of one caller's names lie apart from the next one's
_FACTS_PER_FILL = 40


class Line:
    """One caller's connection, kept open."""

    def __init__(self, url: str, key: str = "") -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._connection.connect()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """Status and body. Raises Missed when the connection breaks."""
        data = None if body is None else orjson.dumps(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        try:
            self._connection.request(method, path, data, self._headers | kind | headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Missed(type(error).__name__) from error


def _lines(url: str, keys: Sequence[str], callers: int) -> list[Line]:
    return [Line(url, keys[caller % len(keys)]) for caller in range(callers)]


def _expect(wanted: int, answer: tuple[int, bytes]) -> bytes:
    status, body = answer
    if status == wanted:
        return body
    try:
        code = orjson.loads(body).get("code", "")
    except orjson.JSONDecodeError:
        code = ""
    raise Missed(f"{status} {code}".strip())


def add(
    url: str, keys: list[str], callers: int, seconds: float, first: int, users: list[str] | None = None
) -> dict[str, Any]:
    """Waiting adds. `users`: caller i posts to users[i] (with keys[i % len(keys)]); None: each add to a new user."""
    lines = _lines(url, keys, callers)

    def post(caller: int, step: int) -> None:
        word = name(first + caller * _FIRST_PER_CALLER + step)
        user = users[caller] if users else f"user-{word}"
        body = {"messages": [{"role": "user", "content": turn(word)}], "user_id": user}
        answer = lines[caller].call("POST", "/v1/memories/", body, Prefer="wait=60")
        if len(orjson.loads(_expect(200, answer))["results"]) != 2:
            raise Missed("not both facts")

    return closed(callers, seconds, post).as_dict()


def enqueue(
    url: str,
    keys: list[str],
    callers: int,
    first: int,
    seconds: float = 0.0,
    per_second: float = 0.0,
    users: int = 0,
    each: int = 0,
) -> dict[str, Any]:
    """Two-message adds that do not wait: `each` for each of `users`, or for `seconds`, flat out or at a rate."""
    lines = _lines(url, keys, callers)

    def post(caller: int, step: int) -> None:
        number = caller * _FIRST_PER_CALLER + step
        word = name(first + number)
        user = f"user-{first}-{caller}" if users else f"user-{word}"
        body = {"messages": exchange(word), "user_id": user}
        _expect(202, lines[caller].call("POST", "/v1/memories/", body, Prefer="respond-async"))

    if users:
        return _each(users, each, post)
    if per_second:
        return steady(per_second, seconds, callers, post).as_dict()
    return closed(callers, seconds, post).as_dict()


def _each(users: int, each: int, post: Turn) -> dict[str, Any]:
    def post_all(user: int) -> Counter[str]:
        missed = Counter[str]()
        for step in range(each):
            try:
                post(user, step)
            except Missed as reason:
                missed[str(reason)] += 1
        return missed

    with ThreadPoolExecutor(users) as pool:
        missed = sum(pool.map(post_all, range(users)), Counter[str]())
    return Sample(count=users * each - missed.total(), errors=dict(missed)).as_dict()


def fill(url: str, keys: list[str], users: list[str], facts: int, first: int) -> dict[str, Any]:
    """Give each user (of project i % len(keys)) `facts` memories."""
    errors = Counter[str]()

    def post(place: int) -> int:
        line = Line(url, keys[place % len(keys)])
        made = 0
        for start in range(0, facts, _FACTS_PER_FILL):
            numbers = range(start, min(start + _FACTS_PER_FILL, facts))
            text = shelf([name(first + place * _FIRST_PER_CALLER + number) for number in numbers])
            body = {"messages": [{"role": "user", "content": text}], "user_id": users[place]}
            try:
                answer = line.call("POST", "/v1/memories/", body, Prefer="wait=60")
                made += len(orjson.loads(_expect(200, answer))["results"])
            except Missed as reason:
                errors[str(reason)] += 1
        return made

    with ThreadPoolExecutor(16) as pool:
        made = sum(pool.map(post, range(len(users))))
    return Sample(count=made, errors=dict(errors)).as_dict()


def get(url: str, key: str, paths: list[str], callers: int, seconds: float) -> dict[str, Any]:
    """GET these paths in turn."""
    lines = _lines(url, [key], callers)

    def read(caller: int, step: int) -> None:
        path = paths[(caller * 7919 + step) % len(paths)]
        _expect(200, lines[caller].call("GET", path))

    return closed(callers, seconds, read).as_dict()


def search(url: str, key: str, user: str, queries: list[str], seconds: float) -> dict[str, Any]:
    """One caller searches one user's memories."""
    line = Line(url, key)

    def read(_caller: int, step: int) -> None:
        path = f"/v1/memories/?user_id={user}&limit=10&query={quote(queries[step % len(queries)])}"
        found = orjson.loads(_expect(200, line.call("GET", path)))
        if not found["results"] or found.get("degraded"):
            raise Missed("nothing found" if not found["results"] else "degraded")

    return closed(1, seconds, read).as_dict()
