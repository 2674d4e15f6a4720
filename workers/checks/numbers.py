"""Every number of a statement stands in its sources, however it is written.

1,500 = 1500 = 1.5k, two = 2, 3 pm = 15:00.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from workers.checks.number_words import spelled, values

_NUMBER = re.compile(r"\d{1,3}(?: \d{3})+(?![\d.,]?\d)|\d+(?:[.,'’]\d+)*")
_SCALE = re.compile(
    r"\s?(?:(?P<thousand>k|thousand|tsd|tausend|mil|mille|千|тыс)|(?P<wan>万|萬|w)|"
    r"(?P<million>m|mio|mn|million(?:s|en)?|millón|millones|млн)|(?P<yi>亿)|(?P<billion>bn|b|billions?|mrd|milliarden?|milliards?))(?![a-z])",
    re.IGNORECASE,
)
_FACTORS = {"thousand": 10**3, "wan": 10**4, "million": 10**6, "yi": 10**8, "billion": 10**9}
_CLOCK = re.compile(
    r"(?<![\d.,])(?P<hour>[01]?\d|2[0-4])(?:[:.h](?P<minute>[0-5]\d))?(?:[:.][0-5]\d)?(?:\s?(?P<half>[ap])\.?m\b\.?|\s?(?P<sign>uhr\b|h\b|o'clock\b|点|點|時|时))?",
    re.IGNORECASE,
)
_MAX_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Claim:
    """A number as a statement shows it and the values it can mean; any of them in the sources is enough."""

    shown: str
    readings: frozenset[str]


def plain(text: str) -> str:
    """Digits of all scripts and widths as ASCII."""
    text = unicodedata.normalize("NFKC", text)
    if text.isascii():
        return text
    return "".join(str(unicodedata.digit(char, char)) if char.isdigit() else char for char in text)


def claims(text: str) -> Iterator[Claim]:
    """The numbers a statement makes a claim of: all in digits, in English words from two on."""
    text = plain(text)
    for match in _NUMBER.finditer(text):
        read = _readings(match[0])
        scale = _SCALE.match(text, match.end())
        yield Claim(match[0], frozenset(_scaled(read, scale) or read))
    for number in spelled(text):
        if number.value >= 2:
            yield Claim(text[number.start : number.end], frozenset((str(number.value),)))


def readings(text: str) -> frozenset[str]:
    """All values that the numbers of a source can mean."""
    text = plain(text)
    found = {str(value) for value in values(text)}
    for match in _NUMBER.finditer(text):
        token = match[0]
        read = _readings(token)
        parts = re.split(r"\D", token)
        if len(parts) > 2 or " " in token:
            read |= {_int(part) for part in parts}
        found |= read | _scaled(read, _SCALE.match(text, match.end()))
    return frozenset(found)


def clocks(text: str) -> frozenset[tuple[int, int]]:
    """Times of the day as (hour mod 12, minute): people and statements differ in how they write the half of the day."""
    return frozenset((int(match["hour"]) % 12, int(match["minute"] or 0)) for match in _CLOCK.finditer(plain(text)))


def clock_claims(text: str) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """start, end and time of each time of the day that a statement gives with minutes or a sign for it."""
    for match in _CLOCK.finditer(text):
        if (match["minute"] and match[0][len(match["hour"])] != ".") or match["half"] or match["sign"]:
            yield match.start(), match.end(), (int(match["hour"]) % 12, int(match["minute"] or 0))


def _readings(token: str) -> set[str]:
    parts = re.split(r"\D", token)
    if len(parts) == 1:
        return {_int(token)}
    found = {token.replace(" ", "")} if " " not in token else set()
    if all(len(part) == 3 for part in parts[1:]):
        found.add(_int("".join(parts)))
    separators = re.findall(r"\D", token)
    if separators[-1] in ".," and separators[-1] not in separators[:-1]:
        fraction = parts[-1].rstrip("0")
        whole = _int("".join(parts[:-1]))
        found.add(f"{whole}.{fraction}" if fraction else whole)
    return found


def _scaled(read: set[str], scale: re.Match[str] | None) -> set[str]:
    """The readings times thousand, million ... where such a word follows."""
    if scale is None or scale.lastgroup is None:
        return set()
    factor = _FACTORS[scale.lastgroup]
    short = (value for value in read if re.fullmatch(r"\d+(?:\.\d+)?", value) and len(value) <= _MAX_DIGITS)
    products = (Decimal(value) * factor for value in short)
    return {str(int(product)) for product in products if product == int(product)}


def _int(digits: str) -> str:
    return digits.lstrip("0") or "0"
