"""Every name in a statement was said: capitalised words inside a sentence occur in the sources.

Latin script only, and not in German, where every noun is capitalised.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from shared.model.word_list import word_list

_LATIN = "A-Za-z\u00c0-\u024f\u1e00-\u1eff"
_WORD = re.compile(rf"[{_LATIN}]+(?:['’][{_LATIN}]+)*")
_OPENS = re.compile(r"[.!?:;…。！？：；\n\"“”«»„‘(\[•–—]|(?:^|\s)['’-]$")
_NOT_NAMES = word_list(
    """i i'm i'd i'll i've ok tv am pm ad bc mr mrs ms dr prof st jr sr
    january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
    janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
    lunes martes miercoles jueves viernes sabado domingo lundi mardi mercredi jeudi vendredi samedi dimanche
    usd eur gbp chf jpy cny inr kg km cm mm gb mb kb tb mph kmh kwh utc gmt cet cest"""
)
_ENDINGS = ("s", "es", "n", "an", "ian", "ean", "ese", "ish", "i", "er", "ers", "ns", "ans", "ians")
_BETWEEN = r"[\s.-]+(?:(?:of|the|and|for|de|la|du|des)\s+){0,2}"


def plain(word: str) -> str:
    """Without case and accents."""
    if word.isascii():
        return word.casefold()
    apart = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char))


def words(text: str) -> frozenset[str]:
    """The Latin words of a source, plain; of words with an apostrophe also the halves."""
    found = [plain(match[0]).replace("’", "'") for match in _WORD.finditer(text)]
    return frozenset((*found, *(half for word in found if "'" in word for half in word.split("'"))))


def unknown_names(text: str, known: AbstractSet[str], sources: Sequence[str], *, inflected: bool = False) -> list[str]:
    """Names in `text` that are not among the plain words `known` of the texts `sources`.

    inflected: the language may change the ends of names, so that a close form is enough.
    """
    unknown: list[str] = []
    for run in _runs(text):
        said = [name for name in run if not _is_known(plain(name), known, inflected)]
        initials = "".join(plain(name)[0] for name in run)
        if not said or (len(run) > 1 and initials in known):  # New York City was said as NYC
            continue
        unknown += [name for name in said if not _is_spelled_out(name, sources)]
    return unknown


def _runs(text: str) -> Iterator[list[str]]:
    """Neighbouring capitalised words, the first of a sentence left out."""
    run: list[str] = []
    end = 0
    for match in _WORD.finditer(text):
        gap = text[end : match.start()]
        begins = (end == 0 and not gap.strip()) or _OPENS.search(gap) is not None
        end = match.end()
        word = re.sub(r"['’]s?$", "", match[0])
        is_name = word[:1].isupper() and len(word) > 1 and not begins and plain(word) not in _NOT_NAMES
        if run and (not is_name or gap not in (" ", "-")):
            yield run
            run = []
        if is_name:
            run.append(word)
    if run:
        yield run


def _is_known(name: str, known: AbstractSet[str], inflected: bool) -> bool:  # noqa: FBT001
    if name in known or any(name + end in known for end in _ENDINGS):
        return True
    stems = {name[: -len(end)] for end in _ENDINGS if name.endswith(end) and len(name) >= len(end) + 3}
    if any(stem in known or stem + last in known for stem in stems for last in ("y", "a", "e", "ia")):
        return True
    return inflected and any(_similar(name, word) for word in known)


def _similar(name: str, word: str) -> bool:
    shared = 0
    for left, right in zip(name, word, strict=False):
        if left != right:
            break
        shared += 1
    return shared >= 3 and shared >= 0.6 * max(len(name), len(word))


def _is_spelled_out(name: str, sources: Sequence[str]) -> bool:
    """True for an acronym whose words were said (NYC for New York City)."""
    if not (name.isupper() and 2 <= len(name) <= 6):
        return False
    spelled = re.compile(r"\b" + _BETWEEN.join(rf"{re.escape(char)}\w*" for char in name), re.IGNORECASE)
    return any(spelled.search(source) for source in sources)
