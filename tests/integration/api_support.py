"""A real API process for a test module, and keys and callers for its tests."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import httpx

from cli.embedded.api import Api
from shared.db import keys, projects
from shared.db.engine import Database
from shared.db.projects import Project
from tests.stack import PEPPER, Service, Stack

_names = count(1)


class LiveApi:
    """One API process on a database of its own; every test takes a project of its own."""

    def __init__(self, stack: Stack, **settings: object) -> None:
        self.service = Service(stack)
        self.db = Database(self.service.database_url, pool_size=4, name="test")
        self.process: Api = self.service.start_api(**settings)
        self._clients: list[httpx.Client] = []

    @property
    def url(self) -> str:
        return self.process.url

    def project(self, **settings: Any) -> Project:
        """A new tenant."""
        name = f"project-{next(_names)}"
        return self.db.run(lambda session: projects.ensure(session, name, settings))

    def key(self, project: Project, **traits: Any) -> str:
        """A new key of a project."""
        return self.db.run(lambda session: keys.create(session, project.id, PEPPER, **traits))

    def caller(self, project: Project | None = None, **traits: Any) -> httpx.Client:
        """An HTTP client with a key of its own (of a new tenant unless one is given)."""
        return self.client(self.key(project or self.project(), **traits))

    def client(self, key: str | None = None, **headers: str) -> httpx.Client:
        """An HTTP client with this key."""
        if key:
            headers["Authorization"] = f"Bearer {key}"
        made = httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)
        self._clients.append(made)
        return made

    def close(self) -> None:
        """End the process and drop its database."""
        for client in self._clients:
            client.close()
        self.db.close()
        self.service.close()


def said(*texts: str, role: str = "user") -> list[dict[str, str]]:
    """Messages of one role."""
    return [{"role": role, "content": text} for text in texts]


def raw(caller: httpx.Client, text: str, **ids: Any) -> str:
    """Keep one message as it is, without waiting for the index; the memory's id."""
    answer = caller.post(
        "/v1/memories/", json={"messages": said(text), "infer": False, **ids}, headers={"Prefer": "respond-async"}
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["results"][0]["id"])


def fields(answer: httpx.Response) -> list[str]:
    """The fields an error names."""
    return [fault["field"] for fault in answer.json()["errors"]]


def assert_problem(answer: httpx.Response, status: int, code: str | None = None, names: Sequence[str] = ()) -> None:
    """The answer is an error as every error must look."""
    body = answer.json()

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == body["request_id"]
    assert {type(body[name]) for name in ("type", "title", "detail", "message", "code", "request_id")} == {str}
    assert (body["status"], body["detail"]) == (status, body["message"])
    assert "event" not in body
    assert code is None or body["code"] == code, body
    assert set(names) <= set(fields(answer)), body
