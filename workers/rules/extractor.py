"""The key-free extractor: rules instead of a model. Pure and deterministic; English statements are retold in the third person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.model.message import Message, Window
from shared.model.record import Candidate, Extraction, Extractor, Record
from shared.model.sentences import phatic, sentences
from shared.model.text import normalise
from workers.rules.needs import wish
from workers.rules.quotes import quote
from workers.rules.third_person import third_person

AUTHOR = Extractor(name="rules", model=None, prompt_version="rules-1")


def extract(window: Window, candidates: Sequence[Candidate]) -> Extraction:
    """The records of a window against its numbered candidates. Never raises on any text."""
    known = {normalise(candidate.text): candidate.n for candidate in candidates}
    found: dict[str, Record] = {}
    for index, message in enumerate(window.messages):
        for record in _records(index, message, window.subject):
            found.setdefault(normalise(record.text), record)
    return Extraction(tuple(_against(known, record) for record in found.values()), AUTHOR)


def _against(known: dict[str, int], record: Record) -> Record:
    target = known.get(normalise(record.text))
    if target is None:
        return record
    return Record(record.src, record.quote, record.text, record.about, record.kind, op="SAME", target=target)


def _records(index: int, message: Message, subject: str) -> Iterator[Record]:
    if message.role in ("system", "tool") or (message.role == "assistant" and message.speaker is None):
        return
    name = message.speaker or subject
    for sentence in sentences(message.text):
        if phatic(sentence.text):
            continue
        evidence = quote(message.text, sentence.start, sentence.end, sentence)
        wanted = wish(sentence.text, name)
        if wanted is not None:
            yield Record((index,), evidence, wanted.text, kind=wanted.kind)
        elif not sentence.text.endswith("?"):
            text = third_person(sentence.text, name).rstrip(".! ")
            kind = "plan" if "want" in text.lower() else "knowledge"
            yield Record((index,), evidence, text[:1].upper() + text[1:], kind=kind)
