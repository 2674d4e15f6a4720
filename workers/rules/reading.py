"""Reads one message: sentence by sentence, clause by clause, into statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from shared.model.grounding import Grounded, grounded
from shared.model.language import Language, language
from shared.model.message import Message, Window
from shared.model.record import Kind
from shared.model.sentences import Sentence, phatic, sentences
from workers.checks.folding import fold
from workers.checks.orders.found import gives_orders
from workers.checks.quotes import find, proves
from workers.checks.secrets import holds_secret
from workers.rules.assistants import deed
from workers.rules.attributes import fact
from workers.rules.clauses import behind_greeting, clauses, explicit, goes_on, is_question
from workers.rules.kinds import kind_of, weight_of
from workers.rules.lists import listed, with_items
from workers.rules.needs import Wish, looking_for, wish
from workers.rules.others_words import own_words
from workers.rules.quotes import quote
from workers.rules.refusals import code_or_log, fiction, joke, names_a_secret, placeholder, unreal
from workers.rules.retelling import finished, retold
from workers.rules.small_talk import small_talk
from workers.rules.statement import Act, Clause, Statement, Voice, voice_of
from workers.rules.takebacks import takeback
from workers.rules.third_person import expand, implied_subject
from workers.rules.worth import content_words, foreign_worth, worth

_FENCED = re.compile(r"(?<!\S)\S{0,80}```.*?(?:```\S{0,80}|\Z)", re.DOTALL)  # with what is glued to it
_CLEFT = re.compile(r"it(?:'s| is) (?P<what>(?:my|our)\b[^,;]{3,60}?) (?P<day>today|tomorrow)[.! ]*$", re.IGNORECASE)
_MOST = 40  # statements of one message
_ENOUGH = 200  # statements after which a message is not read on
_SEARCHED = 2_000  # characters of a sentence; the clauses of longer ones are searched one by one
_READ = 1_000  # characters of a clause
_MUCH = 4  # content words, the name included
_DATED_KINDS: frozenset[Kind] = frozenset(("event", "plan"))


def statements(src: int, message: Message, window: Window) -> list[Statement]:
    """What a message states, in order; weak statements only where it says nothing better."""
    voice = voice_of(message, window)
    if voice is None:
        return []
    log, answers = voice.speaker == "named", _answers(message, window)
    found: list[Statement] = []
    for statement in _Reader(src, message, voice, _names(window)).read():
        if not statement.text and statement.act == "say":
            continue
        if statement.act == "joke" or (statement.act == "forget_last" and found):
            found = found[:-1]
        else:
            found.append(statement)
        if len(found) >= _ENOUGH:
            break
    kept = [statement for statement in found if statement.worth == 2 or (log and _tells(statement, answers=answers))]
    return (kept or found)[:_MOST]


def _tells(statement: Statement, *, answers: bool) -> bool:
    """In a log of named people a weak statement stays where it answers a question or says much."""
    return answers or len(content_words(statement.text)) > _MUCH


def _answers(message: Message, window: Window) -> bool:
    """True where the message before, of another speaker, asks something."""
    told = (*window.earlier, *window.messages)
    at = next((place for place, other in enumerate(told) if other is message), 0)
    before = told[at - 1] if at else None
    return before is not None and before.speaker != message.speaker and "?" in before.text


def _names(window: Window) -> tuple[str, ...]:
    speakers = (message.speaker for message in (*window.earlier, *window.messages) if message.speaker)
    return tuple(dict.fromkeys((*speakers, *filter(None, (window.subject, window.assistant)))))


def _one_line(text: str) -> str:
    """What is read of a clause: single spaces, and no more than a memory could hold."""
    return " ".join(listed(text[:_READ]).split())


def _front_day(said: str) -> str:
    """Turns "It's my birthday today" into "Today is my birthday"."""
    match = _CLEFT.match(said)
    return f"{match['day'].capitalize()} is {match['what']}" if match else said


class _Reader:
    """One message being read."""

    def __init__(self, src: int, message: Message, voice: Voice, names: tuple[str, ...]) -> None:
        self._src, self._message, self._voice, self._names = src, message, voice, names
        bare = _FENCED.sub(lambda match: "\n" * len(match[0]), message.text)  # keeps every offset
        self._text = own_words(bare) if voice.speaker != "assistant" else bare
        self._language = language(self._text)

    def read(self) -> Iterator[Statement]:
        """Every statement whose quote proves it: a very short one, or one beside a block of code, may not."""
        message = self._message.text
        folded = fold(message) if len(message) <= _SEARCHED else None  # in longer ones it costs more than it is worth
        for statement in self._read():
            found = find(statement.quote, message, folded) if folded else None
            if folded is None or statement.act != "say" or (found is not None and proves(found, message)):
                yield statement

    def _read(self) -> Iterator[Statement]:
        bare_secret_next = False
        for sentence in with_items(sentences(self._text), self._text):
            told_secret = (
                len(sentence.text) > _SEARCHED
                or holds_secret(sentence.text)
                or (bare_secret_next and len(sentence.text.split()) <= 2)
            )
            bare_secret_next = names_a_secret(sentence.text)
            if self._refused(sentence.text):
                continue
            yield from self._sentence(sentence, told_secret=told_secret)

    def _refused(self, text: str) -> bool:
        return (
            gives_orders(text)
            or code_or_log(text)
            or placeholder(text)
            or fiction(text)
            or phatic(text)
            or (small_talk(expand(_one_line(text))) and not goes_on(text))
        )

    def _sentence(self, sentence: Sentence, *, told_secret: bool) -> Iterator[Statement]:
        spoken = language(sentence.text) or (self._language if sentence.text.isascii() else None)
        if spoken != "en":
            if not told_secret:
                yield from self._as_said(sentence, spoken)
            return
        if self._voice.speaker == "assistant":
            if not told_secret:
                yield from self._deed(sentence)
            return
        parts = clauses(sentence, self._names)
        for clause in parts:
            if told_secret and (len(parts) == 1 or self._near_secret(clause)):
                continue
            yield from self._clause(clause, sentence)

    def _near_secret(self, clause: Clause) -> bool:
        """True where a clause of a sentence with a secret holds it, or is so short that its quote would reach it."""
        return names_a_secret(clause.text) or holds_secret(clause.text) or len(clause.text.split()) < 3

    def _as_said(self, sentence: Sentence, spoken: Language | None) -> Iterator[Statement]:
        """A language without rules of its own: kept as it stands, with its dates written out where understood."""
        said = behind_greeting(sentence)
        value = foreign_worth(said.text, spoken) if said.text else 0
        if self._voice.speaker == "assistant" or is_question(said.text) or value == 0:
            return
        ground = grounded(_one_line(said.text), self._message.said_at)
        made = self._statement(said, sentence, finished(ground.text, self._voice), "knowledge", ground)
        yield replace(made, worth=value, weight=value)

    def _deed(self, sentence: Sentence) -> Iterator[Statement]:
        ground = grounded(_one_line(sentence.text), self._message.said_at)
        done = deed(ground.text, self._voice.name, self._voice.other)
        if done and not is_question(sentence.text):
            yield self._statement(sentence, sentence, finished(done.text, self._voice), done.kind, ground)

    def _clause(self, clause: Clause, sentence: Sentence) -> Iterator[Statement]:
        text = _one_line(clause.text)
        said = _front_day(expand((clause.lead or implied_subject(text)) + text))
        if joke(text) or joke(_one_line(sentence.text)):
            yield self._act("joke", clause, sentence)
        if joke(text) or unreal(said):
            return
        ground = grounded(said, self._message.said_at)
        wanted = self._wish(ground.text)
        if wanted:
            made = self._statement(clause, sentence, finished(wanted.text, self._voice), wanted.kind, ground)
            yield replace(made, worth=1 if wanted.weak else 2, weight=1 if wanted.kind == "need" else 2)
        elif not clause.question:
            yield from self._told(clause, sentence, said, ground)

    def _told(self, clause: Clause, sentence: Sentence, said: str, ground: Grounded) -> Iterator[Statement]:
        back = takeback(said)
        if back and (back[0] != "forget" or self._voice.speaker == "user"):
            act, what = back
            text = retold(what, self._voice) if what else ""
            made = self._statement(clause, sentence, text, kind_of(said), ground)
            yield replace(made, act=act)
            return
        value = worth(said, to_someone=bool(self._voice.other))
        if value:
            text = retold(ground.text, self._voice)
            made = self._statement(clause, sentence, text, self._kind(said, text), ground)
            if sentence.text.endswith((":", "：")):  # it only leads to something that is not kept
                value = 1
            weight = weight_of(said, explicit=explicit(sentence), weak=value == 1)
            yield replace(made, worth=value, weight=weight)

    def _kind(self, said: str, text: str) -> Kind:
        stated = fact(text, self._names)
        return stated.kind if stated else kind_of(said)

    def _wish(self, said: str) -> Wish | None:
        if self._voice.speaker == "user":
            return wish(said, self._voice.name)
        return looking_for(said, self._voice.name)

    def _act(self, act: Act, clause: Clause, sentence: Sentence) -> Statement:
        return Statement(self._src, quote(self._message.text, clause.start, clause.end, sentence), "", act=act)

    def _statement(
        self, part: Clause | Sentence, sentence: Sentence, text: str, kind: Kind, ground: Grounded
    ) -> Statement:
        return Statement(
            self._src,
            quote(self._message.text, part.start, part.end, sentence),
            text,
            about=self._voice.about,
            kind=kind,
            when=ground.when,
            until=ground.until if kind in _DATED_KINDS else None,
        )
