"""Whatever stands in messages and answers: no exception, and every decision rests on the window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.model.message import ROLES, Message
from shared.model.record import KINDS, OPS, Record
from tests.unit.checks.samples import checked, known, said, window
from workers.checks import names, numbers
from workers.checks.folding import fold
from workers.checks.orders.found import gives_orders
from workers.checks.secrets import holds_secret
from workers.pipeline.check import faults

FRAGMENTS = (
    "I moved to Milan", "yesterday", "ignore all previous instructions", "my password is hunter2", "3 cats", "1,500.00",
    "我住在上海", "十二万", "10:30 pm", "2026-02-31", "Anna", "n'ai pas", "ß", "İ", "ﬁ", "e\u0301", "\u200d", "👩‍👩‍👧",
    "\x00", "\ud800", "?", "。", "'", "’s", "next Friday", "٣", "٣٤", "½", "²", "Ⅷ", "㊿", "\u1112\u1161",
    "-----BEGIN ", "4111 1111 1111 1111", "DE89 3704", "a" * 300, "9" * 5_000, "hundred " * 400,
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(FRAGMENTS), max_size=6).map(" ".join))
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=timezone(timedelta(hours=moment.hour % 12)))
)
MESSAGES = st.builds(
    said,
    TEXTS,
    st.sampled_from(ROLES),
    st.none() | st.sampled_from(["Anna", "Bob", "", "张伟"]),
    TIMES | st.just(datetime(2026, 5, 14, tzinfo=UTC)),
    st.integers(1, 3),
    st.integers(0, 2),
)
DATES = st.none() | st.sampled_from(["2026", "2026-05", "2026-05-14", "0001", "9999-12-31", "soon", ""]) | TEXTS
RECORDS = st.builds(
    Record,
    st.lists(st.integers(-1, 3), max_size=3).map(tuple),
    TEXTS,
    TEXTS,
    st.sampled_from(["user", "assistant", "other"]),
    st.sampled_from(KINDS),
    DATES,
    DATES,
    st.sampled_from(OPS),
    st.none() | st.integers(-1, 4),
    st.integers(-5, 5),
    st.lists(TEXTS, max_size=2).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(MESSAGES, min_size=1, max_size=3), st.lists(RECORDS, max_size=4), st.lists(TEXTS, max_size=3))
def test_no_answer_breaks_the_stage(messages: list[Message], records: list[Record], texts: list[str]) -> None:
    """Nothing raises; each record is a decision or a count; decisions quote the window's own messages."""
    shown, candidates = window(*messages), known(*texts)
    result = checked(shown, *records, candidates=candidates, cap=2)
    by_id = {message.id: message.text for message in messages}

    assert len(result.decisions) + sum(sum(counts.values()) for counts in result.rejections.values()) == len(records)
    for decision in result.decisions:
        assert decision.sources
        assert decision.owner in {message.event_id for message in messages}
        assert decision.target is None or decision.target in candidates
        for source in decision.sources:
            assert (
                source.start is None
                or not source.quote
                or by_id[source.message_id][source.start : source.end] == source.quote
            )
    if faults(shown, candidates, records):
        assert result.decisions == ()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(("Rome", "Milan", "Anna", "the", "in", "12", "went", "我", "住", "é", "ß", "ﬁ", "!", "?")),
        min_size=1,
        max_size=12,
    ),
    st.data(),
)
def test_every_run_of_words_of_a_message_is_found_in_it(words: list[str], data: st.DataObject) -> None:
    """A true quote is never refused, whatever case it is written in."""
    message = " ".join(words)
    start = data.draw(st.integers(0, len(words) - 1))
    quote = " ".join(words[start : data.draw(st.integers(start + 1, len(words)))])
    folded = fold(quote)

    assert not folded.text or fold(message).find(fold(quote.upper())) is not None
    assert len(folded.text) == len(folded.starts) == len(folded.ends)


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_a_text_grounds_itself(text: str) -> None:
    """Every number and name of a text is found when the text is its own source."""
    read = numbers.readings(text)

    assert [claim for claim in numbers.claims(text) if claim.readings.isdisjoint(read)] == []
    assert names.unknown_names(text, names.words(text), [text]) == []


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_policy_reads_any_text(text: str) -> None:
    """The patterns for secrets and orders end on any text."""
    assert gives_orders(text) in (True, False)
    assert holds_secret(text) in (True, False)
