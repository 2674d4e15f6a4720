"""All that is wrong with one record, policy first: what may not be kept is never asked for again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.model.language import language
from shared.model.message import Message
from shared.model.record import Record
from shared.model.sentences import sentences
from workers.checks import dates, names, numbers, quotes
from workers.checks.certainty import turned
from workers.checks.grounds import Ground, Sources
from workers.checks.lengths import wrong_length
from workers.checks.orders.found import gives_orders
from workers.checks.quotes import Quote
from workers.checks.reasons import Problem, Reason
from workers.checks.roles import may_not_state
from workers.checks.script import main_script, scripts
from workers.checks.secrets import holds_secret
from workers.checks.speakers import wrong_speaker

_SHOWN = 80
_NEAR = 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """`problems` is empty for a record that stands; then `quote` is where its evidence lies."""

    problems: tuple[Problem, ...]
    quote: Quote | None = None


def judge(record: Record, ground: Ground) -> Verdict:
    """Every check of a record by itself. Never raises on any text."""
    messages = ground.window.messages
    outside = next((index for index in record.src if not 0 <= index < len(messages)), None)
    if not record.src or outside is not None:
        shown = "src is empty" if outside is None else f"src {outside} is out of range 0 to {len(messages) - 1}"
        return Verdict((Problem(Reason.SRC, shown),))
    cited = tuple(messages[index] for index in dict.fromkeys(record.src))
    sources = ground.sources(record.src)
    quote = quotes.find(record.quote, cited[0].text, sources.cited[0].folded)
    refused = _policy(record, cited, quote)
    if refused is not None:
        return Verdict((refused,), quote)
    return Verdict(tuple(_faults(record, cited, sources, quote, ground)), quote)


def _policy(record: Record, cited: Sequence[Message], quote: Quote | None) -> Problem | None:
    role = may_not_state(record, cited)
    if role is not None:
        return Problem(Reason.ROLE, role)
    evidence = quote.text if quote else record.quote
    if gives_orders(record.text) or gives_orders(_around(cited[0].text, quote) if quote else evidence):
        return Problem(Reason.INJECTED_ORDER, "orders to the memory or to its readers are not kept")
    if record.op != "RETRACT" and (holds_secret(record.text) or holds_secret(evidence)):
        return Problem(Reason.SECRET, "passwords, keys, codes and account numbers are not kept")
    return None


def _faults(
    record: Record, cited: Sequence[Message], sources: Sources, quote: Quote | None, ground: Ground
) -> Iterator[Problem]:
    if quote is None:
        yield Problem(Reason.QUOTE, f"quote {_cut(record.quote)!r} does not stand in message {record.src[0]}")
    elif not quotes.proves(quote, cited[0].text):
        yield Problem(Reason.QUOTE, f"quote {_cut(record.quote)!r} is too short")
    if record.op == "RETRACT":  # its text is never stored
        return
    if (length := wrong_length(record.text)) is not None:
        yield Problem(Reason.LENGTH, f"text has {length}")
        return
    yield from _wrong_voice(record, cited, sources, ground)
    for number in _unknown_numbers(record, sources):
        yield Problem(Reason.NUMBER, f"number {_cut(number)!r} is not in the messages of src")
    for name in _unknown_names(record.text, sources):
        yield Problem(Reason.NAME, f"name {_cut(name)!r} is not in the messages of src")
    for wrong in _wrong_dates(record, cited[0], sources):
        yield Problem(Reason.DATE, wrong)
    lost = turned(record.text, quote.text) if quote else None
    if lost is not None:
        yield Problem(Reason(lost), f"text and quote differ in a {lost}")


def _wrong_voice(record: Record, cited: Sequence[Message], sources: Sources, ground: Ground) -> Iterator[Problem]:
    if (script := _foreign_script(record.text, sources)) is not None:
        yield Problem(Reason.LANGUAGE, f"text is in {script} script, its messages are not")
    if (name := wrong_speaker(record.text, cited, ground.window)) is not None:
        yield Problem(Reason.SPEAKER, f"text is about {_cut(name)!r}, who did not say it")


def _unknown_numbers(record: Record, sources: Sources) -> Iterator[str]:
    text = record.text
    for name in sources.numbered:
        text = text.replace(name, "_")
    text = dates.ISO.sub(lambda match: "_" * len(match[0]), numbers.plain(text))
    parts = _date_parts(sources.dates() | dates.own_dates(record))
    clocks = numbers.clocks(f"{record.when or ''} {record.until or ''}")
    for start, end, clock in numbers.clock_claims(text):
        if sources.has_clock(clock) or clock in clocks:
            text = f"{text[:start]}{'_' * (end - start)}{text[end:]}"
    for claim in numbers.claims(text):
        if claim.readings.isdisjoint(parts) and not sources.has_number(claim.readings):
            yield claim.shown


def _date_parts(days: frozenset[str]) -> frozenset[str]:
    """Years and days of the month that a date in words may use (6 May 2026)."""
    return frozenset(part.lstrip("0") for day in days for part in (day[:4], day[8:10]) if part)


def _unknown_names(text: str, sources: Sources) -> list[str]:
    spoken = language(text)
    if "de" in (spoken, sources.cited[0].language):
        return []
    return names.unknown_names(text, sources.words(), sources.texts(), inflected=spoken is None)


def _wrong_dates(record: Record, first: Message, sources: Sources) -> Iterator[str]:
    yield from dates.wrong_dates(record, first.said_at)
    if record.when and (word := dates.relative_word(record.text, first.said_at, sources.cited[0].language)) is not None:
        yield f"{_cut(word)!r} is left in the text beside when"
    if (when := dates.invented(record, sources)) is not None:
        yield f"when {when!r} is not said and does not follow from when it was said"
    for day in dates.unfounded(record.text, record, sources):
        yield f"date {day!r} is not in the messages of src"


def _foreign_script(text: str, sources: Sources) -> str | None:
    """The script of a text none of whose messages uses it: a translation."""
    script = main_script(text)
    if script is None or any(script in scripts(passage.text) for passage in sources.cited):
        return None
    return script if any(main_script(passage.text) for passage in sources.cited) else None


def _around(text: str, quote: Quote) -> str:
    """The sentences that a quote lies in, at most some hundred characters to each side."""
    left, right = max(0, quote.start - _NEAR), quote.end + _NEAR
    near = text[left:right]
    touched = [
        sentence.text
        for sentence in sentences(near)
        if left + sentence.start < quote.end and quote.start < left + sentence.end
    ]
    return " ".join(touched) or quote.text


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
