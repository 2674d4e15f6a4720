"""What each public method of mem0's npm client is called with, and by which second read its effect is seen.

Its options and answers are in camel case, but for the keys of metadata, of filters and of schemas.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.clients.accounting import Client, Steps
from tests.clients.foreign import ClientError
from tests.clients.mem0_calls import name, of
from tests.integration.webhook_receiver import receiving
from tests.stack import wait_until


def said(*texts: str) -> list[dict[str, str]]:
    """Messages of a user."""
    return [{"role": "user", "content": text} for text in texts]


def kept(client: Client, user: str, *texts: str, **options: Any) -> list[str]:
    """Messages kept as they are; their ids."""
    answer = client.call("add", said(*texts), {"userId": user, "infer": False, **options})
    return [item["id"] for item in answer["results"]]


def texts(client: Client, user: str) -> list[str]:
    """The second read: what is listed."""
    return [item["memory"] for item in client.call("getAll", {"filters": of(user)})["results"]]


def ping(client: Client) -> None:
    """Says nothing where the key is good; what it learned serves the calls on the project."""
    assert client.call("ping") is None
    assert client.call("getProject", {})["name"] == "default"


def add(client: Client) -> None:
    """PENDING with an event; the memory follows. As it is: at once, with time, expiry and metadata."""
    user = name()
    answer = client.call("add", said("My name is Alice and I live in Berlin."), {"userId": user})
    assert (answer["status"], bool(answer["eventId"])) == ("PENDING", True)
    wait_until(lambda: any("Berlin" in text for text in texts(client, user)), "the memory")
    (memory_id,) = kept(client, user, "kept", timestamp=1_700_000_000, metadata={"my_key": 1},
                        expirationDate="2999-01-01")  # fmt: skip
    found = client.call("get", memory_id)
    assert (found["createdAt"][:10], found["metadata"]) == ("2023-11-14", {"my_key": 1})
    assert found["expirationDate"] == "2999-01-01"


def get(client: Client) -> None:
    """By id; an unknown one is the error the client has for that."""
    user = name()
    (memory_id,) = kept(client, user, "likes tea")
    found = client.call("get", memory_id)
    assert (found["memory"], found["userId"]) == ("likes tea", user)
    with pytest.raises(ClientError) as caught:
        client.call("get", str(uuid4()))
    assert caught.value.kind == "MemoryNotFoundError"


def get_all(client: Client) -> None:
    """Filters, pages, dates; a filter that is not known is refused by name."""
    user = name()
    kept(client, user, "one", "two", "three")
    first = client.call("getAll", {"filters": of(user), "page": 1, "pageSize": 2})
    second = client.call("getAll", {"filters": of(user), "page": 2, "pageSize": 2})
    assert (first["count"], bool(first["next"]), second["next"]) == (3, True, None)
    assert [item["memory"] for item in first["results"] + second["results"]] == ["three", "two", "one"]
    assert client.call("getAll", {"filters": {"AND": [of(user), {"keywords": "TWO"}]}})["count"] == 1
    assert client.call("getAll", {"filters": of(user), "startDate": "2999-01-01"})["count"] == 0
    with pytest.raises(ClientError) as caught:
        client.call("getAll", {"filters": {"colour": "red"}})
    assert (caught.value.kind, "filters.colour" in caught.value.text) == ("ValidationError", True)


def search(client: Client) -> None:
    """The best first, under a filter, as many as asked for."""
    user = name()
    kept(client, user, "loves hiking in Norway", "has a sister", "hiking hiking hiking in the Alps, or anywhere else")

    def found(**more: Any) -> list[str]:
        answer = client.call("search", "hiking", {"filters": of(user), **more})
        return [item["memory"] for item in answer["results"]]

    wait_until(lambda: len(found()) == 2, "the index")
    assert found(topK=1, rerank=True, keywordSearch=True, fields=["memory"]) == found()[:1]
    assert found(filters={"AND": [of(user), {"keywords": "Norway"}]}) == ["loves hiking in Norway"]


def update(client: Client) -> None:
    """Text, metadata and expiry; null clears the last."""
    (memory_id,) = kept(client, name(), "likes tea")
    client.call("update", memory_id, {"text": "likes coffee", "metadata": {"k": 2}, "expirationDate": "2999-01-01"})
    found = client.call("get", memory_id)
    assert (found["memory"], found["metadata"], found["expirationDate"]) == ("likes coffee", {"k": 2}, "2999-01-01")
    client.call("update", memory_id, {"expirationDate": None})
    assert client.call("get", memory_id)["expirationDate"] is None


def delete(client: Client) -> None:
    """Gone by id and from the list."""
    user = name()
    first, second = kept(client, user, "one", "two")
    client.call("delete", first)
    client.call("delete", second, {"deleteLinked": True})
    assert texts(client, user) == []


def delete_all(client: Client) -> None:
    """All of one user, nothing of another; without an id refused."""
    user, other = name(), name()
    for owner in (user, other):
        kept(client, owner, "one")
    client.call("deleteAll", {"userId": user})
    assert (texts(client, user), texts(client, other)) == ([], ["one"])
    with pytest.raises(ClientError) as caught:
        client.call("deleteAll")
    assert (caught.value.kind, texts(client, other)) == ("ValidationError", ["one"])


def history(client: Client) -> None:
    """Every version with its messages."""
    (memory_id,) = kept(client, name(), "likes tea")
    client.call("update", memory_id, {"text": "likes coffee"})
    found = client.call("history", memory_id)
    assert [(row["event"], row["oldMemory"], row["newMemory"]) for row in found] == [
        ("ADD", None, "likes tea"), ("UPDATE", "likes tea", "likes coffee"),
    ]  # fmt: skip
    assert found[0]["input"] == [{"role": "user", "content": "likes tea"}]


def entities(client: Client) -> dict[str, Any]:
    """Entities by name."""
    return {item["name"]: item for item in client.call("users", {"pageSize": 1000})["results"]}


def users(client: Client) -> None:
    """Entities with their types; deleted by name, and by id as the older call does."""
    one, two = name(), name()
    for user in (one, two):
        kept(client, user, "one")
    found = entities(client)
    assert (found[one]["type"], found[one]["totalMemories"]) == ("user", 1)
    assert client.call("users", {"page": 1, "pageSize": 1})["next"]
    client.call("deleteUsers", {"userId": one})
    client.call("deleteUser", {"entity_id": found[two]["id"], "entity_type": "user"})
    assert (texts(client, one), texts(client, two)) == ([], [])
    assert not {one, two} & entities(client).keys()


def batch_update(client: Client) -> None:
    """Texts of several; an unknown id changes none."""
    first, second = kept(client, name(), "one", "two")
    client.call("batchUpdate", [{"memoryId": first, "text": "eins"}, {"memoryId": second, "text": "zwei"}])
    assert [client.call("get", memory_id)["memory"] for memory_id in (first, second)] == ["eins", "zwei"]
    with pytest.raises(ClientError):
        client.call("batchUpdate", [{"memoryId": first, "text": "uno"}, {"memoryId": str(uuid4()), "text": "x"}])
    assert client.call("get", first)["memory"] == "eins"


def batch_delete(client: Client) -> None:
    """Several at once."""
    user = name()
    ids = kept(client, user, "one", "two", "three")
    client.call("batchDelete", ids[:2])
    assert texts(client, user) == ["three"]


def project(client: Client) -> None:
    """Instructions and categories are read back; null clears."""
    client.call("updateProject", {"customInstructions": "Only food.", "customCategories": [{"my_food": "eaten"}]})
    found = client.call("getProject", {"fields": ["customInstructions"]})
    assert (found["customInstructions"], found["customCategories"]) == ("Only food.", [{"my_food": "eaten"}])
    client.call("updateProject", {"customInstructions": None, "customCategories": None, "multilingual": True})
    found = client.call("getProject", {})
    assert (found["customInstructions"], found["customCategories"], found["multilingual"]) == (None, None, True)


def feedback(client: Client) -> None:
    """Stored and taken back; refused for an unknown memory."""
    (memory_id,) = kept(client, name(), "one")
    given = client.call("feedback", {"memoryId": memory_id, "feedback": "NEGATIVE", "feedbackReason": "wrong"})
    assert (given["feedback"], given["feedbackReason"]) == ("NEGATIVE", "wrong")
    assert client.call("feedback", {"memoryId": memory_id, "feedback": None})["feedback"] is None
    with pytest.raises(ClientError) as caught:
        client.call("feedback", {"memoryId": str(uuid4()), "feedback": "POSITIVE"})
    assert caught.value.kind == "MemoryNotFoundError"


def export(client: Client) -> None:
    """By id, and the newest with the same filters."""
    user = name()
    kept(client, user, "one")
    made = client.call("createMemoryExport", {"schema": {"type": "object"}, "filters": of(user)})
    for question in ({"memoryExportId": made["id"]}, {"filters": of(user)}):
        found = client.call("getMemoryExport", question)
        assert (found["id"], [item["memory"] for item in found["memories"]]) == (made["id"], ["one"])
    with pytest.raises(ClientError) as caught:
        client.call("getMemoryExport", {"filters": of(name())})
    assert caught.value.kind == "MemoryNotFoundError"


def profiles(client: Client) -> None:
    """`not_enabled`, a status the client knows."""
    assert client.call("getProfile", {"entityId": "anna/1"})["status"] == "not_enabled"
    assert client.call("generateProfile", {"entityId": "anna"})["status"] == "not_enabled"
    assert client.call("sampleProfiles", {"limit": 1})["status"] == "not_enabled"
    assert client.call("getProfileJob", "job")["job"]["status"] == "not_enabled"
    assert client.call("updateProfileSettings", {"enabled": True, "schema": {"my_key": {}}})["enabled"] is False
    assert client.call("getProfileSettings")["enabled"] is False


def webhooks(client: Client) -> None:
    """Made, told of a memory, changed, deleted; each is read back."""
    with receiving() as receiver:
        made = client.call("createWebhook", {"url": receiver.url, "name": "crm", "eventTypes": ["memory_add"]})
        (memory_id,) = kept(client, name(), "likes tea")
        wait_until(lambda: receiver.got, "the delivery", 60)
        assert receiver.got[0].signed_with(made["secret"])
        assert receiver.got[0].body["event_details"]["id"] == memory_id
        webhook = {"webhookId": made["webhookId"], "name": "new", "eventTypes": ["memory_delete"]}
        assert "message" in client.call("updateWebhook", webhook)
        found = client.call("getWebhooks")
        assert [(item["name"], item["eventTypes"], item["isActive"]) for item in found] == [
            ("new", ["memory_delete"], True)
        ]
        assert "message" in client.call("deleteWebhook", {"webhookId": made["webhookId"]})
    assert client.call("getWebhooks") == []


CALLS: dict[Steps, tuple[str, ...]] = {
    ping: ("ping",),
    add: ("add",),
    get: ("get",),
    get_all: ("getAll",),
    search: ("search",),
    update: ("update",),
    delete: ("delete",),
    delete_all: ("deleteAll",),
    history: ("history",),
    users: ("users", "deleteUser", "deleteUsers"),
    batch_update: ("batchUpdate",),
    batch_delete: ("batchDelete",),
    project: ("getProject", "updateProject"),
    feedback: ("feedback",),
    webhooks: ("createWebhook", "getWebhooks", "updateWebhook", "deleteWebhook"),
    export: ("createMemoryExport", "getMemoryExport"),
    profiles: (
        "getProfile", "generateProfile", "sampleProfiles", "getProfileJob", "updateProfileSettings",
        "getProfileSettings",
    ),
}  # fmt: skip
