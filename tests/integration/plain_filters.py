"""What filters mean, in plain Python over plain values: written apart from the product, to hold it against."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.model.memory import Memory

OTHER_NAMES = {"session_id": "run_id", "timestamp": "created_at", "keywords_search": "keywords"}
IDS = ("user_id", "agent_id", "app_id", "run_id")


def matches(given: dict[str, Any], memory: Memory) -> bool:
    """Whether a memory passes a filter object."""
    return all(_entry(name, value, memory) for name, value in given.items())


def _entry(name: str, value: Any, memory: Memory) -> bool:
    name = OTHER_NAMES.get(name, name)
    if value is None:
        return True
    if name in ("AND", "OR", "NOT"):
        found = [matches(item, memory) for item in (value if isinstance(value, list) else [value])]
        return all(found) if name == "AND" else any(found) if name == "OR" else not any(found)
    if name == "metadata":
        return all(_meta(key, inner, memory.metadata or {}) for key, inner in value.items())
    if not isinstance(value, dict):
        value = {"in" if isinstance(value, list) else "icontains" if name == "keywords" else "eq": value}
    return all(_test(name, how, inner, memory) for how, inner in value.items())


def _test(name: str, how: str, value: Any, memory: Memory) -> bool:  # noqa: PLR0911 - one line a kind
    if how == "ne":
        return not _test(name, "eq", value, memory)
    if name in ("created_at", "updated_at", "happens_at", "valid_from", "valid_to"):
        have = getattr(memory, name)
        return have is not None and _times(have, how, value)
    if name == "expiration_date":
        return memory.expires_on is not None and _days(memory.expires_on, how, value)
    if name == "categories":
        return _categories(memory.categories, how, value)
    if name == "keywords" and how == "in":
        return any(word.lower() in memory.text.lower() for word in value)
    if name == "memory_ids":
        return str(memory.id) in ([value] if isinstance(value, str) else value)
    have = getattr(memory.ids, name) if name in IDS else memory.kind if name == "memory_type" else memory.text
    return _text(have, how, value, wildcard=name in IDS)


def _text(have: str | None, how: str, value: Any, *, wildcard: bool) -> bool:
    if have is None:
        return False
    if how == "in":
        return have in value or (wildcard and "*" in value)
    if how == "eq":
        return have == value or (wildcard and value == "*")
    return value in have if how == "contains" else value.lower() in have.lower()


def _categories(have: tuple[str, ...], how: str, value: Any) -> bool:
    if how in ("eq", "in"):
        return any(name in have for name in (value if isinstance(value, list) else [value]))
    return any(value.lower() in name.lower() for name in have)


def _times(have: datetime, how: str, value: Any) -> bool:
    if how == "in":
        return any(_times(have, "eq", item) for item in value)
    whole_day = isinstance(value, str) and len(value) == 10
    start = datetime.fromtimestamp(value, UTC) if isinstance(value, int) else datetime.fromisoformat(value)
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    last = start + timedelta(days=1) - timedelta(microseconds=1) if whole_day else start
    results = {
        "eq": start <= have <= last, "gt": have > last, "gte": have >= start, "lt": have < start, "lte": have <= last,
    }  # fmt: skip
    return bool(results[how])


def _days(have: date, how: str, value: Any) -> bool:
    if how == "in":
        return have.isoformat() in value
    day = date.fromisoformat(value)
    return {"eq": have == day, "gt": have > day, "gte": have >= day, "lt": have < day, "lte": have <= day}[how]


def _meta(key: str, asked: Any, have: dict[str, Any]) -> bool:
    operators = {"eq", "ne", "in", "contains", "icontains", "gt", "gte", "lt", "lte"}
    if not (isinstance(asked, dict) and asked and set(asked) <= operators):
        asked = {"eq": asked}
    return all(_meta_test(have.get(key), how, value) for how, value in asked.items())


def _meta_test(have: Any, how: str, value: Any) -> bool:  # noqa: PLR0911 - same
    if how in ("eq", "ne"):
        return _same(have, value) is (how == "eq")
    if how == "in":
        return any(_same(have, item) for item in value)
    if how in ("gt", "gte", "lt", "lte"):
        if isinstance(have, bool) or not isinstance(have, int | float):
            return False
        return bool({"gt": have > value, "gte": have >= value, "lt": have < value, "lte": have <= value}[how])
    if isinstance(have, str) and isinstance(value, str):
        return value in have if how == "contains" else value.lower() in have.lower()
    if not isinstance(have, list):
        return False
    if how == "icontains" and isinstance(value, str):
        return any(isinstance(item, str) and item.lower() == value.lower() for item in have)
    return any(_same(item, value) for item in have)


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: `true` is not 1, but 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict | list) or isinstance(other, dict | list):
        return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    return bool(one == other)
