"""`include_raw`: lists with the messages that memories were made of."""

from __future__ import annotations

from datetime import timedelta

from tests.factories import column
from tests.integration.api_support import LiveApi, assert_problem
from tests.integration.memory_rows import NOON, stored


def test_a_list_holds_kept_messages_on_request(live: LiveApi) -> None:
    """Newest first among the memories; they can be read by id, and pages go on through both."""
    project = live.project()
    caller = live.caller(project)
    stored(live.db, project.id, "I settled in Oslo", state="source", kind="message")
    stored(live.db, project.id, "Lives in Oslo", created_at=NOON + timedelta(seconds=1))
    stored(live.db, project.id, "Owns a boat", created_at=NOON - timedelta(seconds=1))

    def listed(**query: str) -> list[str]:
        answer = caller.get("/v1/memories/", params={"user_id": "alex", **query})
        assert answer.status_code == 200, answer.text
        return [memory["memory"] for memory in answer.json()["results"]]

    assert listed() == ["Lives in Oslo", "Owns a boat"]
    assert listed(include_raw="false") == ["Lives in Oslo", "Owns a boat"]
    assert listed(include_raw="true") == ["Lives in Oslo", "I settled in Oslo", "Owns a boat"]
    page = caller.get("/v1/memories/", params={"user_id": "alex", "include_raw": "true", "limit": "2"}).json()
    assert listed(include_raw="true", cursor=page["next_cursor"]) == ["Owns a boat"]
    raw = page["results"][1]
    assert (raw["state"], raw["memory_type"]) == ("source", "message")
    assert caller.get(f"/v1/memories/{raw['id']}/").json()["memory"] == "I settled in Oslo"


def test_include_raw_is_true_or_false(live: LiveApi) -> None:
    """Anything else is named."""
    answer = live.caller().get("/v1/memories/", params={"user_id": "alex", "include_raw": "maybe"})

    assert_problem(answer, 400, names=["include_raw"])


def test_raw_messages_are_indexed_with_speaker_and_question(live: LiveApi) -> None:
    """`infer=false`: the question may come in the same request or in one before; the memory stays byte for byte."""
    caller = live.caller()
    asked = {"role": "user", "name": "Ada", "content": "Hi! Where is your allotment?"}
    answered = {"role": "user", "name": "Bo", "content": "Behind the station."}
    for body in ([asked, answered], [{**asked, "content": "Who waters it?"}], [{**answered, "content": "My aunt."}]):
        caller.post("/v1/memories/", json={"messages": body, "user_id": "raw-1", "infer": False}).raise_for_status()

    found = dict(column_pairs(live))
    assert found["Behind the station."] == "Bo: Where is your allotment? Behind the station."
    assert found["My aunt."] == "Bo: Who waters it? My aunt."


def column_pairs(live: LiveApi) -> list[tuple[str, str]]:
    """(text, index text) of the memories of that user."""
    both = column(live.db, "SELECT ARRAY[text, index_text] FROM memories WHERE user_id = 'raw-1'")
    return [(text, index_text) for text, index_text in both]
