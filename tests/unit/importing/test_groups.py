"""Lines of every format become bodies of `POST /v1/memories/`."""

from __future__ import annotations

from typing import Any

import pytest

from shared.importing.errors import BadLine
from shared.importing.groups import Format, detect, groups

TURN = {"role": "user", "content": "I own a boat"}


def read(value: Any, form: Format = Format.AUTO, most: int = 100) -> list[dict[str, Any]]:
    """All groups of one line."""
    return groups(value, form, most)


@pytest.mark.parametrize(
    ("line", "form"),
    [
        ({"messages": [TURN]}, Format.FLUMES),
        ({"messages": "I own a boat", "user_id": "ann"}, Format.FLUMES),
        ([TURN], Format.MESSAGES),
        (TURN, Format.MESSAGES),
        ({"from": "human", "value": "hi"}, Format.MESSAGES),
        ({"role": "user", "content": "hi", "conversation": "c1"}, Format.MESSAGES),
        ({"conversations": [{"from": "human", "value": "hi"}]}, Format.SHAREGPT),
        ({"mapping": {}, "title": "t"}, Format.CHATGPT),
        ({"conversation": {"session_1": []}, "sample_id": "s"}, Format.LOCOMO),
    ],
)
def test_each_line_is_known_by_its_shape(line: Any, form: Format) -> None:
    """No option is needed."""
    assert detect(line) is form


@pytest.mark.parametrize("line", [{"a": 1}, "text", 7, None, {"conversation": "c1"}])
def test_what_looks_like_nothing_is_refused(line: Any) -> None:
    """With a sentence, never a guess."""
    with pytest.raises(BadLine, match="line"):
        detect(line)


def test_a_body_keeps_what_it_says() -> None:
    """Ids, metadata and times go through; unknown fields do not; the log's name of the conversation is kept apart."""
    line = {"messages": [TURN], "user_id": "ann", "metadata": {"a": 1}, "timestamp": 1_700_000_000, "model": "x",
            "id": "c9"}  # fmt: skip
    assert read(line) == [
        {"messages": [TURN], "user_id": "ann", "metadata": {"a": 1}, "timestamp": 1_700_000_000, "conversation": "c9"}
    ]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"role": "human", "text": "a"}, {"role": "user", "content": "a"}),
        ({"from": "gpt", "value": "a"}, {"role": "assistant", "content": "a"}),
        ({"sender": "AI", "body": "a"}, {"role": "assistant", "content": "a"}),
        ({"role": "developer", "content": "a"}, {"role": "system", "content": "a"}),
        ({"role": "function", "content": "a"}, {"role": "tool", "content": "a"}),
        ({"speaker": "Ann", "text": "a"}, {"role": "user", "content": "a", "name": "Ann"}),
        ({"role": "user", "content": "a", "ts": 1_700_000_000_000},
         {"role": "user", "content": "a", "timestamp": 1_700_000_000}),
        ({"role": "user", "content": "a", "created_at": "2024-01-02"},
         {"role": "user", "content": "a", "timestamp": "2024-01-02"}),
        ({"role": "user", "content": [{"type": "text", "text": "a"}]},
         {"role": "user", "content": [{"type": "text", "text": "a"}]}),
    ],
)  # fmt: skip
def test_other_names_of_the_same(raw: dict[str, Any], message: dict[str, Any]) -> None:
    """Roles, texts, times and speakers under the names other systems use."""
    assert read([raw]) == [{"messages": [message]}]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ([{"role": "narrator", "content": "a"}], "messages\\[0\\]: the role 'narrator'"),
        ([TURN, {"role": "user"}], "messages\\[1\\] has no content"),
        ([TURN, "x"], "messages\\[1\\] is no message object"),
        ([{"content": "a"}], "messages\\[0\\] says neither who speaks"),
        ([], "at least one message"),
        ({"messages": 7}, "must be a list"),
        ({"mapping": 7}, "`mapping` must be an object"),
        ({"conversation": {"session_1": [{"speaker": "A", "text": "b"}]}}, "session_1_date_time"),
        ({"conversation": {"session_1": [{"text": "b"}], "session_1_date_time": "1:56 pm on 8 May, 2023"}},
         "session_1 holds"),
    ],
)  # fmt: skip
def test_a_fault_names_its_place(line: Any, says: str) -> None:
    """So that a person finds it in the file."""
    with pytest.raises(BadLine, match=says):
        read(line)


def test_a_named_format_holds_for_every_line() -> None:
    """A line of another shape is a fault then."""
    with pytest.raises(BadLine, match="`conversations` is missing"):
        read({"messages": [TURN]}, Format.SHAREGPT)


def test_long_conversations_are_split_evenly() -> None:
    """In order, none empty, none a message or two."""
    parts = read([{"role": "user", "content": str(n)} for n in range(101)], most=50)

    assert [len(part["messages"]) for part in parts] == [33, 34, 34]
    assert [m["content"] for part in parts for m in part["messages"]] == [str(n) for n in range(101)]


def node(parent: str | None, role: str | None, text: Any, at: float | None = None, **more: Any) -> dict[str, Any]:
    """A node of a ChatGPT export."""
    content = {"content_type": "text", "parts": [text]} if isinstance(text, str) else text
    message = {"author": {"role": role}, "content": content, "create_time": at, **more} if role else None
    return {"message": message, "parent": parent, "children": []}


def test_a_chatgpt_export_gives_the_branch_that_is_shown() -> None:
    """Without regenerated answers, hidden settings, thinking and tools; each message at its own time."""
    hidden = {"metadata": {"is_visually_hidden_from_conversation": True}}
    tree = {
        "root": node(None, None, ""),
        "sys": node("root", "system", ""),
        "me": node("sys", "user", "about me", 5.0, **hidden),
        "q": node("me", "user", {"content_type": "multimodal_text",
                                 "parts": [{"content_type": "image_asset_pointer"}, "Look at my boat"]}, 100.0),
        "old": node("q", "assistant", "first try", 101.0),
        "think": node("q", "assistant", {"content_type": "thoughts", "thoughts": []}, 102.0),
        "run": node("think", "tool", "result", 103.0),
        "a": node("run", "assistant", "Lovely"),
    }  # fmt: skip
    line = {"conversation_id": "c1", "create_time": 50.0, "mapping": tree, "current_node": "a"}

    assert read(line) == [
        {
            "messages": [
                {"role": "user", "content": "Look at my boat", "timestamp": 100.0},
                {"role": "assistant", "content": "Lovely", "timestamp": 100.0},
            ],
            "conversation": "c1",
        }
    ]


def test_a_chatgpt_export_without_a_current_node_takes_the_newest_leaf() -> None:
    """And a ring in the tree ends."""
    tree = {"a": node("b", "user", "one", 1.0), "b": node("a", "user", "two", 2.0)}
    assert read({"mapping": tree, "current_node": "b"})[0]["messages"][-1]["content"] == "two"
    assert read({"mapping": {"a": node(None, "user", "one", 1.0), "b": node(None, "user", "two", 2.0)}}) == [
        {"messages": [{"role": "user", "content": "two", "timestamp": 2.0}]}
    ]


def test_nothing_said_is_nothing_and_no_fault() -> None:
    """An empty conversation of an export."""
    assert read({"mapping": {"r": node(None, None, "")}, "current_node": "r"}) == []


def test_locomo_gives_a_group_a_session_at_its_date() -> None:
    """Both people speak as users under their names; sessions come in their number's order."""
    talk = {
        "speaker_a": "Ann", "session_10": [{"speaker": "Bob", "text": "b"}],
        "session_10_date_time": "9:05 am on 1 June, 2023", "session_2": [
            {"speaker": "Ann", "text": "a", "blip_caption": "a photo of a boat"}, {"speaker": "Bob", "text": "c"}],
        "session_2_date_time": "1:56 pm on 8 May, 2023", "session_3_date_time": "2:00 pm on 9 May, 2023",
    }  # fmt: skip
    found = read({"sample_id": "conv-1", "conversation": talk})

    assert [m["timestamp"] for part in found for m in part["messages"]] == [
        "2023-05-08T13:56:00+00:00", "2023-05-08T13:56:01+00:00", "2023-06-01T09:05:00+00:00",
    ]  # fmt: skip
    assert found[0]["messages"][0] == {
        "role": "user", "name": "Ann", "content": "a [shares a photo of a boat]",
        "timestamp": "2023-05-08T13:56:00+00:00",
    }  # fmt: skip
    assert {part["conversation"] for part in found} == {"conv-1"}
