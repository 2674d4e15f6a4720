"""Numbers written as words: full English, the small ones of a few other languages, Chinese numerals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


def _numbered(words: str, start: int, step: int = 1) -> dict[str, int]:
    return {word: step * number for number, word in enumerate(words.split(), start=start)}


_UNITS = _numbered(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen",
    start=0,
)
_TENS = _numbered("twenty thirty forty fifty sixty seventy eighty ninety", start=2, step=10)
_SMALL = _UNITS | _TENS
_SCALES = {"hundred": 100, "dozen": 12, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_ORDINALS = _numbered("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth", start=1)
_LOOSE = {"once": 1, "single": 1, "twice": 2, "couple": 2, "pair": 2, "both": 2, "double": 2, "twins": 2, "triple": 3}
_OTHERS = {
    2: "zwei beide doppelt zweimal dos ambos deux due dois duas dwa два две двое",
    3: "drei dreimal tres trois tre três trzy три трое",
    4: "vier cuatro quatre quattro quatro cztery четыре",
    5: "fünf cinco cinq cinque pięć пять",
    6: "sechs seis sei sześć шесть",
    7: "sieben siete sept sette sete siedem семь",
    8: "acht ocho huit otto oito osiem восемь",
    9: "neun nueve neuf nove dziewięć девять",
    10: "zehn diez dix dieci dez dziesięć десять",
    11: "elf once onze undici",
    12: "zwölf doce douze dodici doze",
    13: "dreizehn trece treize",
    14: "vierzehn catorce quatorze",
    15: "fünfzehn quince quinze",
    16: "sechzehn dieciséis seize",
    17: "siebzehn diecisiete",
    18: "achtzehn dieciocho",
    19: "neunzehn diecinueve",
    20: "zwanzig veinte vingt venti vinte двадцать",
    30: "dreißig treinta trente trenta trinta тридцать",
    40: "vierzig cuarenta quarante сорок",
    50: "fünfzig cincuenta cinquante пятьдесят",
    60: "sechzig sesenta soixante",
    70: "siebzig setenta septante",
    80: "achtzig ochenta",
    90: "neunzig noventa nonante",
    100: "hundert einhundert cien ciento cent cento сто",
    1000: "tausend eintausend mil mille тысяча тысячи",
}
_FOREIGN = {word: value for value, words in _OTHERS.items() for word in words.split()}
_HAN_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2, "俩": 2}
_HAN_SCALES = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "萬": 10_000, "亿": 100_000_000}
_HAN = re.compile(r"[零〇一二两兩俩三四五六七八九十百千万萬亿]{1,12}")
_WORD = re.compile(r"[^\W\d_]+")
_LONGEST = 12  # words of one number
_MAY_JOIN = re.compile(r"\s*-?\s*|\s+and\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A number in words, text[start:end]."""

    start: int
    end: int
    value: int


def spelled(text: str) -> Iterator[Spelled]:
    """English numbers in words, `two hundred and fifty` as one."""
    run: list[re.Match[str]] = []
    for match in _WORD.finditer(text):
        word = match[0].lower()
        if word == "and" and run:
            continue
        if word not in _SMALL and word.removesuffix("s") not in _SCALES:
            yield from _closed(run)
            run = []
            continue
        if run and not (_MAY_JOIN.fullmatch(text[run[-1].end() : match.start()]) and _goes_on(run, word)):
            yield from _closed(run)
            run = []
        run.append(match)
    yield from _closed(run)


def values(text: str) -> set[int]:
    """Every number the words of a text can stand for, whole phrases and their parts."""
    low = text.casefold()
    found = {number.value for number in spelled(text)}
    for word in _WORD.findall(low):
        for table in (_SMALL, _SCALES, _ORDINALS, _LOOSE, _FOREIGN):
            if (value := table.get(word)) is not None:
                found.add(value)
    return found | {value for match in _HAN.finditer(text) for value in _han(match[0])}


def _goes_on(run: list[re.Match[str]], word: str) -> bool:
    """`twenty one` and `two hundred` go on, `one two` does not."""
    if len(run) >= _LONGEST:
        return False
    last = run[-1][0].lower()
    if word.removesuffix("s") in _SCALES:
        return True
    return last.removesuffix("s") in _SCALES or (last in _TENS and 0 < _SMALL[word] < 10)


def _closed(run: list[re.Match[str]]) -> Iterator[Spelled]:
    if run:
        yield Spelled(run[0].start(), run[-1].end(), _value([match[0].lower().removesuffix("s") for match in run]))


def _value(words: list[str]) -> int:
    total, current = 0, 0
    for word in words:
        scale = _SCALES.get(word)
        if scale is None:
            current += _SMALL.get(word, _SMALL.get(f"{word}s", 0))
        elif scale <= 100:
            current = max(1, current) * scale
        else:
            total, current = total + max(1, current) * scale, 0
    return total + current


def _han(numeral: str) -> set[int]:
    total = section = digit = 0
    for char in numeral:
        if char in _HAN_DIGITS:
            digit = _HAN_DIGITS[char]
        elif (scale := _HAN_SCALES[char]) >= 10_000:
            total, section, digit = total + max(1, section + digit) * scale, 0, 0
        else:
            section, digit = section + max(1, digit) * scale, 0
    plain = "".join(str(_HAN_DIGITS[char]) for char in numeral if char in _HAN_DIGITS)
    return {total + section + digit} | ({int(plain)} if len(plain) == len(numeral) else set())
