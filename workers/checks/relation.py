"""Does a statement speak of the same thing as the memory it wants to change?

Then they share a content word, a name or an attribute.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from shared.model.word_list import word_list
from workers.checks.names import plain
from workers.checks.script import unspaced_letters
from workers.checks.topics import topics

_WORD = re.compile(r"[^\W_]+")
_RUN = re.compile("[\u0e01-\u0e5b\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
_EMPTY = word_list(
    """a an the and or but if then than that this these those there here it its is are was were be been being am do
    does did done doing have has had having will would can could should may might must shall not no yes of in on
    at to for from with by as about into over under up down out off again very too so just now still also
    already only even more most less least some any all each every both other another such own same i me my mine
    we us our you your he him his she her they them their who whom whose which what when where why how user
    assistant wants want wanted need needs like likes liked love loves go goes going went get gets got make
    makes made take takes took use uses used plan plans planned looking look looks think thinks said says say
    tell told ask asks asked know knows new old one ones thing things since until after before during longer
    anymore instead rather forget remember never always true false wrong actually please der die das den dem des
    ein eine einen einem einer und oder aber ist sind war waren sein hat haben hatte wird werden nicht kein
    keine im auf aus bei mit nach von zu zum zur für über unter vor als wie auch noch schon nur mehr sehr ich
    mich mir mein meine er sie es wir uns ihr ihre seine seinen möchte mag geht nutzer nutzerin jetzt seit el la
    los las un una unos unas y o pero son era fue ser está están estar ha han de del en con por para al que como
    más muy su sus mi mis se le lo yo él ella nosotros quiere gusta va usuario usuaria ya ahora desde les une du
    et ou mais est sont était être ont avait ne pas plus dans sur avec par pour à au aux qui sa ses mon ma mes
    il elle je nous vous ils elles veut aime utilisateur utilisatrice maintenant depuis"""
)
_EMPTY_PAIRS = word_list(
    """用户 他的 她的 我的 喜欢 想要 想去 需要 现在 一个 这个 那个 没有 不是 不再 已经 非常
    可以 因为 所以 但是 还有 自己 以前 之前 希望 です ます した する いる ある"""
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a text speaks of: content words, pairs of characters where words have no spaces, attributes."""

    words: frozenset[str]
    pairs: frozenset[str]
    topics: frozenset[str]


def content(text: str, left_out: AbstractSet[str] = frozenset()) -> Content:
    """`left_out`: plain names that every statement of the scope shares."""
    low = text.casefold()
    every = frozenset(_WORD.findall(low))
    words = frozenset(plain(word) for word in every if word not in _EMPTY and (len(word) > 1 or word.isdigit()))
    pairs: set[str] = set()
    if unspaced_letters(low):
        pairs = {run[at : at + 2] for run in _RUN.findall(low) for at in range(len(run) - 1)} - _EMPTY_PAIRS
        words = frozenset(word for word in words if not _RUN.match(word))
    return Content(words - left_out, frozenset(pairs), topics(every, low))


def related(statement: Content, memory: Content) -> bool:
    """True where both speak of the same thing. A memory of nothing but empty words is related to everything."""
    if not memory.words and not memory.pairs and not memory.topics:
        return True
    if statement.pairs & memory.pairs or statement.topics & memory.topics or statement.words & memory.words:
        return True
    return any(_one_stem(left, right) for left in statement.words for right in memory.words)


def _one_stem(left: str, right: str) -> bool:
    """True for forms of one word: museum and museums, allergy and allergic."""
    shared = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        shared += 1
    rest = max(len(left), len(right)) - shared
    return (shared >= 3 and rest <= 2 and shared >= 2 * rest - 1) or (shared >= 5 and shared >= 0.6 * (shared + rest))
