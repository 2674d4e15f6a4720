"""Dates in a text: "yesterday" resolved against when it was said, in its own UTC offset, never against today.

`grounded` writes relative words out ("on 2026-05-06") and leaves calendar words ("in July") as said; both give a date.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from shared.model.calendar_dates import Mention, also_a_word, calendar_mentions
from shared.model.language import Language, language
from shared.model.steps import Moment, away, named_month, season, weekday
from shared.model.tense import Tense, tense
from shared.model.time_words.pack import A_FEW, Pack
from shared.model.time_words.packs import PACKS

_LOOK_BACK = 30
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Grounded:
    """A text with its relative words written out, and the first date it names; `until` closes a week or weekend."""

    text: str
    when: str | None = None
    until: str | None = None
    moment: Moment | None = None


def grounded(text: str, said_at: datetime) -> Grounded:
    """`text` as said at `said_at` (aware; its own offset counts), readable without knowing that day."""
    found = mentions(text, said_at)
    pieces, at = [], 0
    for mention in found:
        if mention.shown is not None:
            pieces += [text[at : mention.start], mention.shown]
            at = mention.end
    first = found[0].moment if found else None
    return Grounded(
        "".join((*pieces, text[at:])), first.value if first else None, first.until if first else None, first
    )


def mentions(text: str, said_at: datetime, spoken: Language | None = None) -> tuple[Mention, ...]:
    """Every date in `text`, in order, without overlaps; `shown` is what a relative one is replaced by."""
    spoken = spoken or language(text)
    looks = tense(text, spoken)
    day = said_at.date()
    found = list(_relative(text, said_at, spoken, looks)) if spoken else []
    for mention in calendar_mentions(text, day, spoken, looks):
        if all(mention.end <= other.start or other.end <= mention.start for other in found):
            found.append(mention)
    return tuple(sorted(found, key=lambda mention: mention.start))


def _relative(text: str, said_at: datetime, spoken: Language, looks: Tense | None) -> list[Mention]:
    found, pack = [], PACKS[spoken]
    plain = text.replace("\u2019", "'")
    for match in _pattern(spoken).finditer(plain):
        try:
            moment = _moment(match, plain, said_at, pack, looks)
        except (ValueError, OverflowError):  # a date beyond the calendar
            continue
        if moment is not None:
            found.append(_mention(match, plain, moment, pack))
    return found


def _moment(match: re.Match[str], text: str, said_at: datetime, pack: Pack, looks: Tense | None) -> Moment | None:
    day = said_at.date()
    if fixed := match["fixed"]:
        unit, count, part = _lookup(pack.fixed, fixed)
        if part == "~":
            return away(said_at, "day", count, vague=True)
        return away(said_at, unit, count, part=fixed.split()[-1] if part == "@" else part)
    if match["ago"]:
        return _counted(match, said_at, pack, "1", -1)
    if match["ahead"]:
        return None if looks == "past" else _counted(match, said_at, pack, "2", 1)
    if match["lone"]:
        part = (match["lone_part"] or "").strip()
        position = _position(pack.weekdays, match["lone_day"])
        return weekday(day, position, _turn(looks), part) if looks and position is not None else None
    return _qualified(match, text, said_at, pack)


def _qualified(match: re.Match[str], text: str, said_at: datetime, pack: Pack) -> Moment | None:
    day, turn = said_at.date(), _sign(match, pack)
    if turn is None:
        return None
    what, part = match["what"], (match["what_part"] or "").strip()
    if also_a_word(what):
        return None
    if (position := _position(pack.weekdays, what)) is not None:
        return weekday(day, position, turn, part, in_week=pack.weekday_in_week)
    if (position := _position(pack.months, what)) is not None:
        return named_month(day, position + 1, turn, what)
    unit = _lookup(pack.units, what)
    span = re.search(
        rf"(?:{pack.not_behind})$", text[max(0, match.start("core") - _LOOK_BACK) : match.start("core")], re.IGNORECASE
    )
    if unit in ("hour", "day") or (span and unit != "weekend"):
        return None
    return season(day, what, turn) if unit == "season" else away(said_at, unit, turn)


def _sign(match: re.Match[str], pack: Pack) -> int | None:
    """-1, 0 or 1 for "last", "this", "next", in front or behind; None where neither stands."""
    if match["before"]:
        return _lookup(pack.before, match["before"])
    return _lookup(pack.after, match["after"]) if match["after"] else None


def _counted(match: re.Match[str], said_at: datetime, pack: Pack, group: str, sign: int) -> Moment:
    number = match[f"n{group}"]
    vague = re.fullmatch(pack.few, number, re.IGNORECASE) is not None
    count = A_FEW if vague else int(number) if number.isdigit() else _lookup(pack.numbers, number)
    unit = _lookup(pack.units, match[f"u{group}"])
    about = bool(match["about"]) if group == "1" else False
    return away(said_at, "year" if unit == "season" else unit, sign * count, vague=vague or about)


def _mention(match: re.Match[str], text: str, moment: Moment, pack: Pack) -> Mention:
    start, end = match.span()
    kept = re.search(rf"(?:^|\W)(?:{pack.keep})\s*$", text[max(0, start - _LOOK_BACK) : start], re.IGNORECASE)
    if text[end : end + 2] == "'s" and text[end + 2 : end + 3] == " ":
        return Mention(start, end + 2, moment, f"{'The' if start == 0 else 'the'} {moment.value}")
    as_noun = (pack.spaced and kept) or re.match(rf"\s+(?:{pack.noun_before})\b", text[end : end + _LOOK_BACK])
    template = (pack.bare if as_noun else pack.show)[moment.form]
    shown = template.format(moment.written, moment.name)
    if match[0][:1].isupper():
        shown = shown[:1].upper() + shown[1:]
    return Mention(start, end, moment, shown)


def _turn(looks: Tense | None) -> int:
    return -1 if looks == "past" else 1


def _lookup(table: Mapping[str, _T], text: str) -> _T:
    return next(value for key, value in table.items() if re.fullmatch(key, text, re.IGNORECASE))


def _position(fragments: tuple[str, ...], text: str) -> int | None:
    hits = (index for index, fragment in enumerate(fragments) if re.fullmatch(fragment, text, re.IGNORECASE))
    return next(hits, None)


@lru_cache
def _pattern(spoken: Language) -> re.Pattern[str]:
    """One pattern for a language: fixed phrases first, then counted, then "last week", then a lone weekday."""
    pack = PACKS[spoken]
    number = rf"(?:\d{{1,3}}|{'|'.join(pack.numbers)}|{pack.few})"
    unit = "|".join(pack.units)
    gap = " " if pack.spaced else ""
    start, end = (r"(?<![^\W_])", r"(?![^\W_])") if pack.spaced else ("", "")
    what = "|".join((*pack.weekdays, *pack.months, *pack.units))
    before, after = "|".join(pack.before) or "(?!)", "|".join(pack.after) or "(?!)"
    counted = {
        name: template.replace("{n}", rf"(?P<n{group}>{number})").replace("{u}", rf"(?P<u{group}>{unit})")
        for name, template, group in (("ago", pack.ago, 1), ("ahead", pack.ahead, 2))
    }
    part = rf"(?: (?:{pack.day_parts}))?"
    return re.compile(
        rf"{start}(?:(?:{pack.lead})(?P<core>(?P<fixed>{'|'.join(pack.fixed)})|(?P<ago>{counted['ago']})|"
        rf"(?P<ahead>{counted['ahead']})"
        rf"|(?:(?P<before>{before}){gap}(?=\w)|"
        rf"(?=\w{{1,20}}(?: \w{{1,20}}){{0,2}} (?:{after})))"
        rf"(?P<what>{what})(?P<what_part>{part})(?: (?P<after>{after}))?)"
        rf"|(?:{pack.weekday_lead})(?P<lone>(?P<lone_day>{'|'.join(pack.weekdays)})(?P<lone_part>{part}))){end}",
        re.IGNORECASE,
    )
