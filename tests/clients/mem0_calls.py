"""What each public method of mem0's Python client is called with, and by which second read its effect is seen."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.clients.accounting import Client, Steps
from tests.clients.foreign import ClientError
from tests.integration.webhook_receiver import receiving
from tests.stack import wait_until

TYPES = "mem0.client.types."


def name() -> str:
    """An entity nobody else has."""
    return f"user {uuid4().hex[:12]}/ä"


def of(user: str) -> dict[str, Any]:
    """The filter of a user."""
    return {"user_id": user}


def kept(client: Client, user: str, *texts: str, **options: Any) -> list[str]:
    """Messages kept as they are; their ids."""
    messages = [{"role": "user", "content": text} for text in texts]
    answer = client.call("add", messages, filters=of(user), infer=False, **options)
    return [item["id"] for item in answer["results"]]


def texts(client: Client, user: str) -> list[str]:
    """The second read: what is listed."""
    return [item["memory"] for item in client.call("get_all", filters=of(user))["results"]]


def add(client: Client) -> None:
    """PENDING with an event; the memory follows. As it is: at once, with metadata and expiry."""
    user = name()
    answer = client.call("add", "My name is Alice and I live in Berlin.", user_id=user, metadata={"k": 1})
    assert (answer["status"], bool(answer["event_id"])) == ("PENDING", True)
    wait_until(lambda: any("Berlin" in text for text in texts(client, user)), "the memory")
    options = {"__class__": f"{TYPES}AddMemoryOptions", "filters": of(user), "infer": False,
               "timestamp": 1_700_000_000}  # fmt: skip
    answer = client.call("add", [{"role": "user", "content": "kept"}], options=options)
    assert answer["status"] == "SUCCEEDED"
    assert client.call("get", answer["results"][0]["id"])["created_at"].startswith("2023-11-14")


def get(client: Client) -> None:
    """By id; an unknown one is the error the client has for that."""
    user = name()
    (memory_id,) = kept(client, user, "likes tea", metadata={"k": 1})
    found = client.call("get", memory_id)
    assert (found["memory"], found["user_id"], found["metadata"]) == ("likes tea", user, {"k": 1})
    with pytest.raises(ClientError) as caught:
        client.call("get", str(uuid4()))
    assert caught.value.kind == "MemoryNotFoundError"


def get_all(client: Client) -> None:
    """Filters, pages, categories, dates."""
    user = name()
    kept(client, user, "one", "two", "three")
    first = client.call("get_all", filters=of(user), page=1, page_size=2)
    options = {"__class__": f"{TYPES}GetAllMemoryOptions", "filters": of(user), "page": 2, "page_size": 2}
    second = client.call("get_all", options=options)
    assert (first["count"], bool(first["next"]), second["next"]) == (3, True, None)
    assert [item["memory"] for item in first["results"] + second["results"]] == ["three", "two", "one"]
    assert client.call("get_all", filters={"AND": [of(user), {"keywords": "TWO"}]})["count"] == 1
    assert client.call("get_all", filters=of(user), start_date="2999-01-01")["count"] == 0
    with pytest.raises(ClientError) as caught:
        client.call("get_all", filters={"colour": "red"})
    assert (caught.value.kind, "filters.colour" in caught.value.text) == ("ValidationError", True)


def search(client: Client) -> None:
    """The best first, under a filter; options as an object too."""
    user = name()
    kept(client, user, "loves hiking in Norway", "has a sister")

    def found(**more: Any) -> list[str]:
        options = {"__class__": f"{TYPES}SearchMemoryOptions", "filters": of(user), "top_k": 5, **more}
        return [item["memory"] for item in client.call("search", "hiking", options=options)["results"]]

    assert wait_until(found, "the index") == ["loves hiking in Norway"]
    assert found(rerank=True, keyword_search=True, fields=["memory"]) == ["loves hiking in Norway"]
    assert client.call("search", "hiking", filters={"AND": [of(user), {"text": "other"}]})["results"] == []


def update(client: Client) -> None:
    """Text, metadata and expiry; null clears the last."""
    user = name()
    (memory_id,) = kept(client, user, "likes tea")
    client.call("update", memory_id, text="likes coffee", metadata={"k": 2}, expiration_date="2999-01-01")
    found = client.call("get", memory_id)
    assert (found["memory"], found["metadata"], found["expiration_date"]) == ("likes coffee", {"k": 2}, "2999-01-01")
    client.call("update", memory_id, expiration_date=None)
    assert client.call("get", memory_id)["expiration_date"] is None


def delete(client: Client) -> None:
    """Gone by id and from the list."""
    user = name()
    first, second = kept(client, user, "one", "two")
    client.call("delete", first)
    client.call("delete", second, delete_linked=True)
    assert texts(client, user) == []


def delete_all(client: Client) -> None:
    """By keyword and by options, which the client sends as a Python repr; without an id refused."""
    user, other = name(), name()
    for owner in (user, other):
        kept(client, owner, "one")
    client.call("delete_all", user_id=user)
    assert (texts(client, user), texts(client, other)) == ([], ["one"])
    client.call("delete_all", options={"__class__": f"{TYPES}DeleteAllMemoryOptions", "filters": of(other)})
    assert texts(client, other) == []
    with pytest.raises(ClientError) as caught:
        client.call("delete_all")
    assert caught.value.kind == "ValidationError"


def history(client: Client) -> None:
    """Every version with its messages."""
    (memory_id,) = kept(client, name(), "likes tea")
    client.call("update", memory_id, text="likes coffee")
    found = client.call("history", memory_id)
    assert [(row["event"], row["old_memory"], row["new_memory"]) for row in found] == [
        ("ADD", None, "likes tea"), ("UPDATE", "likes tea", "likes coffee"),
    ]  # fmt: skip
    assert found[0]["input"] == [{"role": "user", "content": "likes tea"}]


def users(client: Client) -> None:
    """Entities with their types."""
    user = name()
    kept(client, user, "one")
    found = [item for item in client.call("users")["results"] if item["name"] == user]
    assert [(item["type"], item["total_memories"]) for item in found] == [("user", 1)]


def delete_users(client: Client) -> None:
    """An entity and all its memories."""
    user = name()
    kept(client, user, "one")
    client.call("delete_users", user_id=user)
    assert texts(client, user) == []
    assert user not in [item["name"] for item in client.call("users")["results"]]


def reset(client: Client) -> None:
    """Everything of the project."""
    kept(client, name(), "one")
    client.call("reset")
    assert client.call("users")["results"] == []


def batch_update(client: Client) -> None:
    """Texts and metadata of several; an unknown id changes none."""
    first, second = kept(client, name(), "one", "two")
    answer = client.call(
        "batch_update", [{"memory_id": first, "text": "eins"}, {"memory_id": second, "metadata": {"k": 1}}]
    )
    assert answer == {"message": "Successfully updated 2 memories"}
    assert (client.call("get", first)["memory"], client.call("get", second)["metadata"]) == ("eins", {"k": 1})
    with pytest.raises(ClientError):
        client.call("batch_update", [{"memory_id": first, "text": "uno"}, {"memory_id": str(uuid4()), "text": "x"}])
    assert client.call("get", first)["memory"] == "eins"


def batch_delete(client: Client) -> None:
    """Several at once."""
    user = name()
    ids = kept(client, user, "one", "two", "three")
    client.call("batch_delete", [{"memory_id": memory_id} for memory_id in ids[:2]])
    assert texts(client, user) == ["three"]


def create_memory_export(client: Client) -> None:
    """An export by id, and the newest with the same filters."""
    user = name()
    kept(client, user, "one")
    made = client.call("create_memory_export", schema='{"type": "object"}', filters=of(user))
    for question in ({"memory_export_id": made["id"]}, {"filters": of(user)}):
        found = client.call("get_memory_export", **question)
        assert (found["id"], [item["memory"] for item in found["memories"]]) == (made["id"], ["one"])
    with pytest.raises(ClientError) as caught:
        client.call("get_memory_export", filters=of(name()))
    assert caught.value.kind == "MemoryNotFoundError"


def get_summary(client: Client) -> None:
    """A digest that holds the statements; nothing of nobody."""
    user = name()
    kept(client, user, "likes tea")
    (found,) = client.call("get_summary", filters=of(user))
    assert ("likes tea" in found["summary"], found["total"]) == (True, 1)
    assert client.call("get_summary", filters=of(name())) == []


def feedback(client: Client) -> None:
    """Stored and taken back; refused for an unknown memory."""
    (memory_id,) = kept(client, name(), "one")
    given = client.call("feedback", memory_id, feedback="NEGATIVE", feedback_reason="wrong")
    assert (given["feedback"], given["feedback_reason"]) == ("NEGATIVE", "wrong")
    assert client.call("feedback", memory_id)["feedback"] is None
    with pytest.raises(ClientError):
        client.call("feedback", str(uuid4()), feedback="POSITIVE")


def get_project(client: Client) -> None:
    """Both ways to read and change the project: instructions and categories are read back."""
    client.call("update_project", custom_instructions="Only food.", custom_categories=[{"food": "what is eaten"}])
    for found in (client.call("get_project"), client.call("project.get", fields=["custom_instructions"])):
        assert (found["custom_instructions"], found["custom_categories"]) == ("Only food.", [{"food": "what is eaten"}])
    client.call("project.update", custom_instructions="Only drinks.", multilingual=True)
    found = client.call("get_project")
    assert (found["custom_instructions"], found["multilingual"]) == ("Only drinks.", True)
    assert found["custom_categories"] == [{"food": "what is eaten"}]
    client.call("project.update", custom_instructions="")


def members(client: Client) -> None:
    """Named, changed, removed."""

    def roles() -> dict[str, str]:
        return {item["email"]: item["role"] for item in client.call("project.get_members")["members"]}

    client.call("project.add_member", email="a@example.org", role="READER")
    assert roles() == {"a@example.org": "READER"}
    client.call("project.update_member", email="a@example.org", role="OWNER")
    assert roles() == {"a@example.org": "OWNER"}
    client.call("project.remove_member", email="a@example.org")
    assert roles() == {}


def operators_business(client: Client) -> None:
    """Projects are tenants: the operator makes and removes them, and the client is told so."""
    refused: dict[str, dict[str, str]] = {"project.create": {"name": "x"}, "project.delete": {}}
    for method, keywords in refused.items():
        with pytest.raises(ClientError) as caught:
            client.call(method, **keywords)
        assert caught.value.kind == "AuthenticationError"
        assert "operator" in caught.value.text
    assert client.call("project.get")["name"] == "default"


def profiles(client: Client) -> None:
    """`not_enabled`, a status the client knows."""
    assert client.call("get_profile", "anna")["status"] == "not_enabled"
    assert client.call("generate_profile", "anna")["status"] == "not_enabled"
    assert client.call("sample_profiles", limit=1)["status"] == "not_enabled"
    assert client.call("get_profile_job", "job")["job"]["status"] == "not_enabled"
    assert client.call("update_profile_settings", enabled=True)["enabled"] is False
    assert client.call("get_profile_settings")["enabled"] is False


def webhooks(client: Client) -> None:
    """Made, told of a memory, changed, deleted; each is read back."""
    user, project = name(), client.call("project.get")["project_id"]
    with receiving() as receiver:
        made = client.call(
            "create_webhook", url=receiver.url, name="crm", project_id=project, event_types=["memory_add"]
        )  # fmt: skip
        (memory_id,) = kept(client, user, "likes tea")
        wait_until(lambda: receiver.got, "the delivery", 60)
        assert receiver.got[0].signed_with(made["secret"])
        told = {"id": memory_id, "data": {"memory": "likes tea"}, "event": "ADD"}
        assert receiver.got[0].body["event_details"] == told
        changed = client.call("update_webhook", made["webhook_id"], name="new", event_types=["memory_delete"])
        assert (changed["name"], changed["event_types"]) == ("new", ["memory_delete"])
        assert [item["name"] for item in client.call("get_webhooks", project_id=project)] == ["new"]
        assert "message" in client.call("delete_webhook", made["webhook_id"])
    assert client.call("get_webhooks", project_id=project) == []
    with pytest.raises(ClientError) as caught:
        client.call("delete_webhook", made["webhook_id"])
    assert caught.value.kind == "MemoryNotFoundError"


CALLS: dict[Steps, tuple[str, ...]] = {
    add: ("add",),
    get: ("get",),
    get_all: ("get_all",),
    search: ("search",),
    update: ("update",),
    delete: ("delete",),
    delete_all: ("delete_all",),
    history: ("history",),
    users: ("users",),
    delete_users: ("delete_users",),
    batch_update: ("batch_update",),
    batch_delete: ("batch_delete",),
    create_memory_export: ("create_memory_export", "get_memory_export"),
    get_summary: ("get_summary",),
    feedback: ("feedback",),
    get_project: ("get_project", "update_project", "project.get", "project.update"),
    members: ("project.get_members", "project.add_member", "project.update_member", "project.remove_member"),
    operators_business: ("project.create", "project.delete"),
    webhooks: ("create_webhook", "get_webhooks", "update_webhook", "delete_webhook"),
    profiles: (
        "get_profile", "generate_profile", "sample_profiles", "get_profile_job", "update_profile_settings",
        "get_profile_settings",
    ),
    reset: ("reset",),
}  # fmt: skip
