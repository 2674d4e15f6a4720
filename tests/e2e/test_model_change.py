"""From no key to a key, from one embedding model to another, on a filled store: memories stay, reads are served."""

from __future__ import annotations

import threading

import psycopg

from shared.settings import Settings
from tests.e2e.flumes import Caller, make_key
from tests.fakes.openai_control import FakeOpenAI
from tests.stack import Service, wait_until
from workers import maintenance

FACTS = [f"I own a house with {number} rooms in Lisbon" for number in range(40)]


def serving(database_url: str) -> tuple[str, int | None]:
    """Model and vector size of the collection that serves."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT model, dimensions FROM index_collections WHERE state = 'active'").fetchone()
    assert row is not None
    return row[0], row[1]


def settings_of(service: Service, **changes: object) -> Settings:
    """What a command would read on this service."""
    env = service.stack.environment(service.database_url, **changes)
    given = {name.removeprefix("FLUMES_").lower(): value for name, value in env.items() if name.startswith("FLUMES_")}
    return Settings(**given, openai_api_key=env.get("OPENAI_API_KEY"), openai_base_url=env.get("OPENAI_BASE_URL"))  # type: ignore[arg-type]


def test_a_model_is_set_and_changed_on_a_filled_store(service: Service, llm: FakeOpenAI) -> None:
    """BM25 only, then one model, then another: every search in between finds, nothing is written twice or lost."""
    rules = service.start_worker(poll=0.2)
    plain = service.start_api()
    key = make_key(service.database_url)
    with Caller(plain.url, key) as caller:
        for fact in FACTS:
            caller.add(fact, user_id="ana", infer=False)
        before = {item["id"] for item in caller.memories(user_id="ana")}
        wait_until(lambda: found(caller) is not None, "the first search")
        misses: list[int] = []
        stop = threading.Event()
        reader = threading.Thread(target=read_on, args=(plain.url, key, stop, misses))
        reader.start()
        try:
            for model in ("model-a", "model-b"):
                rules.stop()
                named = {"OPENAI_BASE_URL": llm.base_url, "OPENAI_API_KEY": "sk-test", "embeddings_model": model}
                rules = service.start_worker(poll=0.2, **named)
                wait_until(lambda m=model: serving(service.database_url)[0] == m, f"{model} to serve", 60)  # type: ignore[misc]
        finally:
            stop.set()
            reader.join()
        assert not misses
        assert {item["id"] for item in caller.memories(user_id="ana")} == before
    assert serving(service.database_url) == ("model-b", 256)
    report = maintenance.verify(settings_of(service, **named))
    assert (report.clean, report.memories, report.points) == (True, 40, 40)


def test_reindex_by_hand_shows_progress_and_swaps(service: Service, llm: FakeOpenAI) -> None:
    """Without any worker: the command fills, swaps and drops the old collection."""
    plain = service.start_api()
    key = make_key(service.database_url)
    worker = service.start_worker(poll=0.2)
    with Caller(plain.url, key) as caller:
        for fact in FACTS[:10]:
            caller.add(fact, user_id="ana", infer=False)
    worker.stop()
    seen: list[tuple[str, int, int]] = []
    named = {"OPENAI_BASE_URL": llm.base_url, "OPENAI_API_KEY": "sk-test", "embeddings_model": "model-a"}

    report = maintenance.change_model(
        settings_of(service, **named), progress=lambda step, done, total: seen.append((step, done, total))
    )

    assert (report.clean, report.points) == (True, 10)
    assert ("written", 10, 10) in seen
    assert serving(service.database_url) == ("model-a", 256)


def found(caller: Caller) -> list[object] | None:
    """Hits of one search, None when there is none."""
    answer = caller.http.get("/v1/memories/", params={"user_id": "ana", "query": "house in Lisbon", "limit": 5})
    hits: list[object] = answer.json()["results"] if answer.status_code == 200 else []
    return hits or None


def read_on(url: str, key: str, stop: threading.Event, misses: list[int]) -> None:
    """Search again and again; note every time nothing came back."""
    with Caller(url, key) as caller:
        while not stop.wait(0.05):
            if found(caller) is None:
                misses.append(1)
