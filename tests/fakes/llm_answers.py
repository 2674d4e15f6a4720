"""What the scripted chat model answers: records as a pure function of the request's JSON object.

One ADD per sentence of a user message (SAME when a known record has the same text), unless a fact of the script names
the message: then that fact's records instead. Being a function of the messages alone, the answer is the same however
messages are cut into windows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

Json = dict[str, Any]

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f])|\n+")
_DEFAULTS: Json = {
    "about": "user",
    "kind": "knowledge",
    "when": None,
    "until": None,
    "op": "ADD",
    "target": None,
    "weight": 2,
    "categories": [],
}
PHATIC = frozenset({"ok", "ok thanks", "thanks", "thank you", "hi", "hello", "bye", "ok thanks, that works"})


def sentences(text: str) -> list[str]:
    """Sentences of a text, small talk and one-word ones left out."""
    parts = (part.strip() for part in _SENTENCE_END.split(text))
    return [part for part in parts if not _is_phatic(part)]


def _is_phatic(sentence: str) -> bool:
    bare = sentence.rstrip(".!?").casefold()
    return bare in PHATIC or (len(bare.split()) < 2 and bare.isascii())


def payload_of(text: str) -> Json:
    """The extraction request as an object; {} when the text is none."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def default_records(payload: Json, facts: Iterable[Mapping[str, Any]] = (), skip: str | None = None) -> list[Json]:
    """Records for every user message; `facts`: [{match, records}], `skip`: leave out messages containing this."""
    facts = list(facts)
    records: list[Json] = []
    for message in payload.get("messages", []):
        if message.get("role") != "user" or (skip and skip in message["text"]):
            continue
        scripted = [fact for fact in facts if fact["match"] in message["text"]]
        if scripted:
            drafts = [draft for fact in scripted for draft in fact["records"]]
            records += [complete(draft, payload, message) for draft in drafts]
        else:
            records += [_sentence_record(sentence, message, payload) for sentence in sentences(message["text"])]
    return records


def _sentence_record(sentence: str, message: Json, payload: Json) -> Json:
    text = " ".join(sentence.split()[:60])
    same = [known["n"] for known in payload.get("known", []) if known["text"].casefold() == text.casefold()]
    record = {**_DEFAULTS, "src": [message["i"]], "quote": _quote(sentence), "text": text}
    return {**record, "op": "SAME", "target": same[0]} if same else record


def _quote(sentence: str) -> str:
    return " ".join(sentence.split()[:12])


def complete(draft: Mapping[str, Any], payload: Json, message: Json | None = None) -> Json:
    """A whole record from a draft: text (or op) is enough.

    `quote` defaults to the message's first words, `src` to the message, `target_text` picks the known record that
    contains it (none: ADD).
    """
    messages = payload.get("messages", [])
    message = message or _message_with(draft.get("quote", ""), messages)
    given = {key: value for key, value in draft.items() if key != "target_text"}
    words = (sentences(message["text"]) or [message["text"]]) if message else [""]
    record = {
        "src": [message["i"]] if message else [0],
        "quote": _quote(words[0]),
        "text": words[0],
        **_DEFAULTS,
        **given,
    }
    if "target_text" in draft:
        found = [known["n"] for known in payload.get("known", []) if draft["target_text"] in known["text"]]
        record |= {"target": found[0]} if found else {"op": "ADD", "target": None}
    return record


def _message_with(quote: str, messages: list[Json]) -> Json | None:
    holding = [message for message in messages if quote in message.get("text", "")]
    return holding[-1] if holding else (messages[-1] if messages else None)
