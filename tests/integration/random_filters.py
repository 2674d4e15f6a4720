"""Random memories and random filters over them, of every key and operator."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from hypothesis import strategies as st

from shared.model.memory import Memory
from shared.model.scope import ID_FIELDS, ScopeIds
from shared.model.text import text_hash

NAMES = ("a", "b", "A b", "%", "_", "ü", "'; --")
WORDS = ("tea", "Tea", "coffee 100%", "a_b", "Überall", "x", "日本", "\\", "'")
TIME_KEYS = ("created_at", "updated_at", "happens_at", "valid_from", "valid_to")
KEYS = ("k", "odd key", "'", "%s", ":p")
KINDS = ("profile", "plan", "raw")
COUNT = 120
IDS = [uuid5(NAMESPACE_OID, str(number)) for number in range(COUNT)]  # the same in both projects
CATEGORIES = ("food", "Food", "travel plans", "ü")
START = datetime(2026, 6, 30, 23, 59, 59, 999_999, tzinfo=UTC)
TIMES = [START + timedelta(microseconds=n) for n in (0, 1, 2)] + [START + timedelta(hours=n) for n in range(1, 60, 7)]
DAYS = [date(2026, 6, 29) + timedelta(days=n) for n in range(5)]
SCALARS = (None, True, False, 0, 1, 1.0, 1.5, -3, "1", "tea", "Tea", "", "ü")
VALUES: tuple[Any, ...] = (*SCALARS, ["tea", 1], ["Tea"], [], [True], [["tea"]], {"a": 1}, {"a": {"b": None}})


def random_memories(seed: int, project_id: Any, scope_id: Any) -> list[Memory]:
    """`COUNT` memories of one scope; the same for the same seed."""
    dice = random.Random(seed)
    made = []
    for number in range(COUNT):
        keys = dice.sample(KEYS, dice.randint(0, 3))
        text = f"{dice.choice(WORDS)} {dice.choice(WORDS)} {number if dice.random() < 0.9 else ''}"
        made.append(
            Memory(
                project_id=project_id, id=IDS[number], scope_id=scope_id,
                ids=ScopeIds(*(dice.choice((None, *NAMES)) for _ in ID_FIELDS)), text=text, index_text=text,
                hash=text_hash(f"{text}{number}"), kind=dice.choice(KINDS), observed_at=START,
                created_at=dice.choice(TIMES), updated_at=dice.choice(TIMES),
                metadata={key: dice.choice(VALUES) for key in keys} or None,
                categories=tuple(dice.sample(CATEGORIES, dice.randint(0, 2))), expires_on=dice.choice((None, *DAYS)),
                happens_at=dice.choice((None, *TIMES)), valid_from=dice.choice((None, *TIMES)),
                valid_to=dice.choice((None, *TIMES)),
            )
        )  # fmt: skip
    return made


names = st.sampled_from((*NAMES, "nobody"))
moments = st.one_of(
    st.sampled_from([time.isoformat() for time in TIMES]),
    st.sampled_from([day.isoformat() for day in DAYS]),
    st.sampled_from([int(time.timestamp()) for time in TIMES]),
)
days = st.sampled_from([day.isoformat() for day in DAYS])
words = st.sampled_from((*WORDS, "TEA", "ÜBER", "100", "e"))
numbers = st.sampled_from((-3, 0, 1, 1.0, 1.5, 2))
categories = st.sampled_from((*CATEGORIES, "FOO", "plan"))


def one_key(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Filters on one key."""
    return values.map(lambda value: {name: value})


def operators(value: st.SearchStrategy[Any], how: tuple[str, ...], *, bare: bool = True) -> st.SearchStrategy[Any]:
    """A value, several, or operators with theirs."""
    single = st.dictionaries(st.sampled_from(how), value, min_size=1, max_size=2)
    listed = st.lists(value, max_size=3).map(lambda items: {"in": items})
    several = st.lists(value, min_size=1, max_size=3)
    return st.one_of(single, listed, value, several) if bare else st.one_of(single, listed)


ordered = ("eq", "ne", "gt", "gte", "lt", "lte")
entities = operators(st.one_of(names, st.just("*")), ("eq", "ne"))
id_tests = [one_key(name, st.one_of(entities, st.none())) for name in (*ID_FIELDS, "session_id")]
chosen = st.sampled_from((*map(str, IDS[:9]), "none", str(uuid5(NAMESPACE_OID, "nobody's"))))
meta_value = st.one_of(
    st.sampled_from(VALUES),
    st.dictionaries(st.sampled_from(("eq", "ne")), st.sampled_from(VALUES), min_size=1),
    st.lists(st.sampled_from(VALUES), max_size=3).map(lambda items: {"in": items}),
    st.dictionaries(st.sampled_from(("gt", "gte", "lt", "lte")), numbers, min_size=1, max_size=2),
    st.dictionaries(st.sampled_from(("contains", "icontains")), st.sampled_from(SCALARS), min_size=1),
)
tests = st.one_of(
    *id_tests,
    *(one_key(name, operators(moments, ordered)) for name in TIME_KEYS),
    one_key("expiration_date", operators(days, ordered)),
    one_key("categories", operators(categories, ("eq", "ne", "contains", "icontains"))),
    *(one_key(name, operators(words, ("contains", "icontains"))) for name in ("keywords", "keywords_search")),
    one_key("text", operators(words, ("eq", "ne", "contains", "icontains"))),
    one_key("metadata", st.dictionaries(st.sampled_from(KEYS), meta_value, max_size=2)),
    one_key("memory_ids", operators(chosen, ("eq", "ne"))),
    one_key("memory_type", operators(st.sampled_from((*KINDS, "need")), ("eq", "ne"))),
)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """AND, OR and NOT of these, also beside one of them."""
    several = st.lists(inner, min_size=1, max_size=3)
    logic = st.one_of(*(one_key(name, several) for name in ("AND", "OR", "NOT")), one_key("NOT", inner))
    return st.one_of(logic, st.tuples(inner, logic).map(lambda pair: {**pair[0], **pair[1]}))


filters = st.recursive(tests, nested, max_leaves=6)
