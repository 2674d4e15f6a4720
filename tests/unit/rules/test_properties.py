"""What holds for any text: no error, evidence in place, bounded length and time, the same answer every time."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.model.message import Message, Window
from shared.model.record import Record
from tests.unit.rules.conversation import known, said
from workers.checks.grounds import Ground
from workers.checks.verdict import judge
from workers.rules.extractor import extract

_WORDS = """I;I'm;my;we;you;live in;moved to;work at;like;don't like;love;have;want to go to;Rome;Milan;Acme;a dog
named Rex;sushi;30;years old;yesterday;last week;in July;and;but;,;.;!;?;forget that;any more;give me;tips for
password is;hunter2;ignore all;instructions;my name is;Ana;favourite color is;blue;ich wohne in;我住在;北京;。;если;😀
";';- ;```;just kidding;that's not true;If I were;Maria;booked;on Friday;2026-05-06;http://x.y;{};always;never"""
_PARTS = [*_WORDS.replace("\n", ";").split(";"), "\n"]
_SENTENCES = st.lists(st.sampled_from(_PARTS), max_size=14).map(" ".join)
_TEXTS = st.one_of(st.text(max_size=120), _SENTENCES)
_WITHOUT_DIGITS = st.text(st.characters(exclude_categories=["N", "Cs"]), max_size=120)
_MESSAGES = st.builds(
    said,
    st.one_of(_TEXTS, _WITHOUT_DIGITS),
    role=st.sampled_from(["user", "user", "user", "assistant", "system", "tool"]),
    speaker=st.sampled_from([None, None, "Maria", "Tom", " "]),
)
_WINDOWS = st.builds(
    Window,
    st.lists(_MESSAGES, min_size=1, max_size=5).map(tuple),
    earlier=st.lists(_MESSAGES, max_size=2).map(tuple),
    subject=st.sampled_from(["", "", "Ana"]),
    assistant=st.sampled_from(["", "Ava"]),
)
_KNOWN = st.lists(
    st.sampled_from(
        ["Lives in Rome", "Likes sushi", "Has a dog", "Maria works at Acme", "Is 30 years old", "我住在北京", "", "!"]
    ),
    max_size=5,
).map(lambda texts: known(*texts))
_RELAXED = settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@_RELAXED
@given(_WINDOWS, _KNOWN)
def test_any_window_gives_legal_records(window: Window, candidates: tuple) -> None:  # type: ignore[type-arg]
    """Sources, quotes, targets, roles and lengths are in order; nothing raises."""
    records = extract(window, candidates).records
    for record in records:
        _is_legal(record, window, len(candidates))
    targets = [record.target for record in records if record.target is not None]
    assert len(targets) == len(set(targets))


def _is_legal(record: Record, window: Window, known_count: int) -> None:
    assert record.src
    assert len(set(record.src)) == len(record.src)
    assert all(0 <= index < len(window.messages) for index in record.src)
    first: Message = window.messages[record.src[0]]
    assert record.quote
    assert record.quote in first.text
    assert first.role in ("user", "assistant")
    assert (record.about == "assistant") == (first.role == "assistant" and not (first.speaker or "").strip())
    assert (record.target is None) == (record.op == "ADD")
    assert record.target is None or 0 <= record.target < known_count
    assert record.op == "RETRACT" or record.text.strip()
    assert record.weight in (1, 2, 3)


@_RELAXED
@given(_WINDOWS, _KNOWN)
def test_the_same_window_gives_the_same_records(window: Window, candidates: tuple) -> None:  # type: ignore[type-arg]
    """No clock, no randomness, no memory of earlier windows."""
    assert extract(window, candidates) == extract(window, candidates)


@_RELAXED
@given(
    st.lists(
        st.builds(said, st.one_of(_SENTENCES, _WITHOUT_DIGITS), speaker=st.sampled_from([None, "Maria", "Tom"])),
        min_size=1,
        max_size=4,
    ).map(lambda messages: Window(tuple(messages)))
)
def test_what_is_extracted_passes_the_checks(window: Window) -> None:
    """Numbers, names, dates, quotes and speakers of every new record are grounded in its messages."""
    ground = Ground(window, ())
    for record in extract(window, ()).records:
        wrong = [problem for problem in judge(record, ground).problems if problem.mendable]
        assert not wrong, (record, wrong)


@_RELAXED
@given(st.lists(_SENTENCES, max_size=4), st.sampled_from(["hunter2", "4921", "sk-abcdefghijklmnop1234"]))
def test_a_secret_never_leaves_its_message(sentences: list[str], secret: str) -> None:
    """Wherever it stands, neither a text nor a quote holds it."""
    others = [sentence.replace("hunter2", "tea") for sentence in sentences]
    text = " ".join((*others, f"My password is {secret}.", *others))
    for record in extract(Window((said(text),)), ()).records:
        assert secret not in record.text
        assert secret not in record.quote


_SHAPES = {
    "one word": "a" * 100_000,
    "words": "word " * 20_000,
    "sentences": "I live in Rome and I like tea. " * 3_200,
    "one sentence": "I live in Rome and I like tea, " * 3_200,
    "spaces": "I live" + " " * 99_000 + "in Rome.",
    "line breaks": "I like tea\n" * 9_000,
    "exclamations": "wow" + "!" * 99_000 + "a",
    "signs": "I like " + "😀" * 99_000 + " tea",
    "quotes": "«" * 50_000 + '"' * 50_000,
    "brackets": "([{<" * 25_000,
    "digits": "1 " * 50_000,
    "dots": "a." * 50_000,
    "underscores": "a_" * 50_000,
    "pluses": "a+" * 50_000,
    "dashes": "eyJ-" * 25_000,
    "questions": "please can you " * 6_600 + "?",
    "openers": "well, so, " * 10_000,
    "and": "I eat and I " * 8_300,
    "Chinese": "我住在北京" * 20_000,
    "Chinese sentences": "我住在北京。" * 16_000,
    "Arabic": "أنا أعيش في القاهرة " * 5_000,
    "code": "if (a == b) { return c; }\n" * 3_800,
    "secrets": "my password is hunter2 " * 4_300,
    "passwords": "password " * 11_000,
    "names": "Maria and I " * 8_300,
    "last week": "last week " * 10_000,
    "apostrophes": "I'd " * 25_000,
    "bars": "\u200b" * 100_000,
}


@pytest.mark.parametrize("shape", _SHAPES)
@pytest.mark.parametrize("speaker", [None, "Maria"])
def test_a_hundred_thousand_characters_take_less_than_two_seconds(shape: str, speaker: str | None) -> None:
    """No shape of text makes a pattern explode; processor time, so that a busy machine does not matter."""
    window = Window((said(_SHAPES[shape], speaker=speaker),))
    start = time.process_time()
    records = extract(window, ()).records
    assert time.process_time() - start < 2
    assert len(records) <= 40


def test_a_long_window_is_bounded() -> None:
    """Twenty messages full of facts against thirty candidates."""
    messages = tuple(said(" ".join(f"I like thing {n}x{m} a lot." for m in range(30))) for n in range(20))
    start = time.process_time()
    records = extract(Window(messages), known(*(f"Likes item {n}" for n in range(30)))).records
    assert time.process_time() - start < 5
    assert len(records) == 600
