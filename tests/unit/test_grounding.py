"""Words for time against the moment they were said; each language, each shape, the edges of the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.grounding import grounded, mentions
from shared.model.language import language
from shared.model.times import parse_partial

SAID_AT = datetime(2026, 5, 7, 10, 0, tzinfo=timezone(timedelta(hours=2)))  # a Thursday

RELATIVE = [
    # English: text, what a reader sees, ISO value, precision
    ("I had a meeting yesterday", "I had a meeting on 2026-05-06", "2026-05-06", "day"),
    ("I flew the day before yesterday", "I flew on 2026-05-05", "2026-05-05", "day"),
    ("I will fly the day after tomorrow", "I will fly on 2026-05-09", "2026-05-09", "day"),
    ("I saw a doctor this morning", "I saw a doctor on the morning of 2026-05-07", "2026-05-07", "day"),
    ("I cooked last night", "I cooked on the night of 2026-05-06", "2026-05-06", "day"),
    ("I went out yesterday evening", "I went out on the evening of 2026-05-06", "2026-05-06", "day"),
    ("I met her last Monday", "I met her on 2026-05-04", "2026-05-04", "day"),
    ("I met her last Thursday", "I met her on 2026-04-30", "2026-04-30", "day"),
    ("I meet her next Friday", "I meet her on 2026-05-08", "2026-05-08", "day"),
    ("I was sick last week", "I was sick in the week of 2026-04-27", "2026-04-27", "week"),
    ("I went the week before last", "I went in the week of 2026-04-20", "2026-04-20", "week"),
    ("I moved here two weeks ago", "I moved here in the week of 2026-04-20", "2026-04-20", "week"),
    ("We camped last weekend", "We camped on the weekend of 2026-05-02", "2026-05-02", "weekend"),
    ("We camped two weekends ago", "We camped on the weekend of 2026-04-25", "2026-04-25", "weekend"),
    ("We camped the weekend before last", "We camped on the weekend of 2026-04-25", "2026-04-25", "weekend"),
    ("We are camping this weekend", "We are camping on the weekend of 2026-05-09", "2026-05-09", "weekend"),
    ("I moved to Lisbon last month", "I moved to Lisbon in 2026-04", "2026-04", "month"),
    ("I am flying to Rome next month", "I am flying to Rome in 2026-06", "2026-06", "month"),
    ("I got it five months ago", "I got it in 2025-12", "2025-12", "month"),
    ("I was there last July", "I was there in July 2025", "2025-07", "month"),
    ("I will start next year", "I will start in 2027", "2027", "year"),
    ("I started 3 years ago", "I started in 2023", "2023", "year"),
    ("I was there last summer", "I was there in summer 2025", "2025", "season"),
    ("I was there last winter", "I was there in winter 2025/2026", "2025", "season"),
    ("I have a deadline in 3 days", "I have a deadline on 2026-05-10", "2026-05-10", "day"),
    ("I leave a week from now", "I leave in the week of 2026-05-11", "2026-05-11", "week"),
    ("I started a few weeks ago", "I started around 2026-04", "2026-04", "month"),
    ("I started about 10 years ago", "I started around 2016", "2016", "year"),
    ("I called an hour ago", "I called on 2026-05-07", "2026-05-07", "day"),
    ("I will see him on Friday", "I will see him on 2026-05-08", "2026-05-08", "day"),
    ("I won't be here on Friday", "I won't be here on 2026-05-08", "2026-05-08", "day"),
    ("I saw him on Friday", "I saw him on 2026-05-01", "2026-05-01", "day"),
    # behind a preposition, as a noun, with an apostrophe
    ("I have been sick since yesterday", "I have been sick since 2026-05-06", "2026-05-06", "day"),
    ("I booked a room for next weekend", "I booked a room for the weekend of 2026-05-16", "2026-05-16", "weekend"),
    ("Last week was hard for me", "The week of 2026-04-27 was hard for me", "2026-04-27", "week"),
    ("I liked yesterday's concert", "I liked the 2026-05-06 concert", "2026-05-06", "day"),
    ("Yesterday I had a meeting", "On 2026-05-06 I had a meeting", "2026-05-06", "day"),
    # German
    ("Ich war gestern in Berlin", "Ich war am 2026-05-06 in Berlin", "2026-05-06", "day"),
    ("Vorgestern hatte ich Besuch", "Am 2026-05-05 hatte ich Besuch", "2026-05-05", "day"),
    ("Ich bin letzte Woche umgezogen", "Ich bin in der Woche vom 2026-04-27 umgezogen", "2026-04-27", "week"),
    ("Ich bin vor zwei Wochen umgezogen", "Ich bin in der Woche vom 2026-04-20 umgezogen", "2026-04-20", "week"),
    ("Ich fliege nächsten Monat nach Rom", "Ich fliege im Monat 2026-06 nach Rom", "2026-06", "month"),
    ("Ich war letzten Montag beim Arzt", "Ich war am 2026-05-04 beim Arzt", "2026-05-04", "day"),
    ("Morgen fahre ich nach Bonn", "Am 2026-05-08 fahre ich nach Bonn", "2026-05-08", "day"),
    # Spanish
    ("Ayer fui al médico", "El 2026-05-06 fui al médico", "2026-05-06", "day"),
    ("Fui al médico la semana pasada", "Fui al médico en la semana del 2026-04-27", "2026-04-27", "week"),
    ("Me mudé hace dos semanas", "Me mudé en la semana del 2026-04-20", "2026-04-20", "week"),
    ("Quiero ir a Roma el próximo mes", "Quiero ir a Roma en 2026-06", "2026-06", "month"),
    ("Mañana viajo a Madrid con mi madre", "El 2026-05-08 viajo a Madrid con mi madre", "2026-05-08", "day"),
    # French
    ("J'ai vu Paul hier", "J'ai vu Paul le 2026-05-06", "2026-05-06", "day"),
    ("J'ai mangé une pizza hier soir", "J'ai mangé une pizza le soir du 2026-05-06", "2026-05-06", "day"),
    (
        "La semaine dernière, je suis allé à Lyon",
        "Dans la semaine du 2026-04-27, je suis allé à Lyon",
        "2026-04-27",
        "week",
    ),
    ("J'ai déménagé il y a deux semaines", "J'ai déménagé dans la semaine du 2026-04-20", "2026-04-20", "week"),
    ("Je pars lundi prochain", "Je pars le 2026-05-11", "2026-05-11", "day"),
    # Chinese
    ("昨天我去了医院", "2026-05-06我去了医院", "2026-05-06", "day"),
    ("我前天买了一辆车", "我2026-05-05买了一辆车", "2026-05-05", "day"),
    ("我上周搬到了上海", "我2026-04-27那一周搬到了上海", "2026-04-27", "week"),
    ("我上周三见了他", "我2026-04-29见了他", "2026-04-29", "day"),
    ("我上个月换了工作", "我2026-04换了工作", "2026-04", "month"),
    ("我两周前开始学法语", "我2026-04-20那一周开始学法语", "2026-04-20", "week"),
    ("我明天去北京", "我2026-05-08去北京", "2026-05-08", "day"),
    ("我下个月结婚", "我2026-06结婚", "2026-06", "month"),
]


@pytest.mark.parametrize(("text", "shown", "value", "precision"), RELATIVE, ids=[case[0] for case in RELATIVE])
def test_relative_words_are_written_out(text: str, shown: str, value: str, precision: str) -> None:
    """The reader needs no calendar and no knowledge of the day it was said."""
    ground = grounded(text, SAID_AT)
    assert (ground.text, ground.when) == (shown, value)
    assert ground.moment is not None
    assert ground.moment.precision == precision


CALENDAR = [
    ("I want to go to Rome in July", "2026-07"),
    ("I went to Rome in July", "2025-07"),
    ("I went to Rome in March", "2026-03"),
    ("I want to go to Rome in March", "2027-03"),
    ("I will run on 6 May", "2027-05-06"),
    ("I ran on 6 May", "2026-05-06"),
    ("I saw it on May 6th 2025", "2025-05-06"),
    ("I saw it on May 6th, 2025", "2025-05-06"),
    ("I moved to Berlin in 2019", "2019"),
    ("I have an appointment with Dr. Lee on May 12", "2026-05-12"),
    ("My flight is on 3 May", "2027-05-03"),
    ("I was born in May 1990", "1990-05"),
    ("The appointment is on 2026-06-01", "2026-06-01"),
    ("Ich möchte im Juli nach Rom", "2026-07"),
    ("Ich bin am 6. Mai 1990 geboren", "1990-05-06"),
    ("Nací el 6 de mayo de 1990", "1990-05-06"),
    ("Je suis né le 6 mai 1990", "1990-05-06"),
    ("我打算七月去罗马", "2026-07"),
    ("我2019年5月6日毕业", "2019-05-06"),
    ("I was told it was on 31 February 1990", "1990-02"),
]


@pytest.mark.parametrize(("text", "value"), CALENDAR, ids=[case[0] for case in CALENDAR])
def test_calendar_words_stay_as_said(text: str, value: str) -> None:
    """Only the ISO date is new; a bare month follows the tense."""
    ground = grounded(text, SAID_AT)
    assert (ground.text, ground.when) == (text, value)


UNRESOLVED = [
    "I learned a lot over the last year",
    "I finished it in 3 days",
    "My birthday is on 6 May",
    "I am free in July",
    "This may be the best day of my life",
    "I march every day",
    "Ich jogge am Morgen",
    "Trabajo por la mañana",
    "I love you",
    "We won 3 to 2 in the last game",
    "Next time I will be there",
]


@pytest.mark.parametrize("text", UNRESOLVED)
def test_what_is_no_date_stays(text: str) -> None:
    """Spans, durations, habits and other words get no date of their own."""
    ground = grounded(text, SAID_AT)
    assert ground.text == text
    assert ground.when is None


def test_the_offset_of_the_speaker_decides_the_day() -> None:
    """Shortly after midnight in Tokyo "yesterday" is another day than in UTC."""
    tokyo = datetime(2026, 5, 7, 0, 30, tzinfo=timezone(timedelta(hours=9)))
    assert grounded("I called yesterday", tokyo).when == "2026-05-06"
    assert grounded("I called yesterday", tokyo.astimezone(UTC)).when == "2026-05-05"


def test_several_words_are_all_written_out() -> None:
    """The first date is the statement's; none is left relative."""
    ground = grounded("I moved last month and my sister came yesterday", SAID_AT)
    assert ground.text == "I moved in 2026-04 and my sister came on 2026-05-06"
    assert ground.when == "2026-04"


def test_a_week_has_an_end() -> None:
    """A week or weekend closes with its last day."""
    assert grounded("I was sick last week", SAID_AT).until == "2026-05-03"
    assert grounded("We camped last weekend", SAID_AT).until == "2026-05-03"
    assert grounded("I was sick yesterday", SAID_AT).until is None


def test_direction() -> None:
    """Each mention knows whether it lies behind or ahead."""
    found = mentions("I went yesterday and I will go tomorrow", SAID_AT)
    assert [mention.moment.direction for mention in found] == ["past", "future"]


@pytest.mark.parametrize("year", [1, 9999])
@pytest.mark.parametrize(
    "text", ["I left 900 years ago", "I leave in 900 years", "I went last year", "I go next year", "I go tomorrow"]
)
def test_the_ends_of_the_calendar(year: int, text: str) -> None:
    """Dates that do not exist are left alone."""
    at = datetime(year, 12 if year > 1 else 1, 31 if year > 1 else 1, tzinfo=UTC)
    assert isinstance(grounded(text, at).text, str)


_PIECES = """I|went|will go|last|next|week|Monday|two|days|ago|in|July|6|May|2019|yesterday
ich|gestern|letzte Woche|ayer|hier|昨天|上周|the|'s|since|.""".replace("\n", "|").split("|")


@given(
    st.lists(st.sampled_from(_PIECES), max_size=12).map(" ".join),
    st.datetimes(datetime(1900, 1, 1), datetime(2150, 1, 1)),  # noqa: DTZ001
)
def test_values_are_iso_and_spans_fit(text: str, at: datetime) -> None:
    """Whatever is found parses as a partial date and lies in the text; the rest of the text is untouched."""
    at, end = at.replace(tzinfo=UTC), 0
    for mention in mentions(text, at):
        assert parse_partial(mention.moment.value) is not None
        assert end <= mention.start < mention.end <= len(text)
        end = mention.end


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    """No text makes grounding fail, and twice the same is the same."""
    assert grounded(text, SAID_AT) == grounded(text, SAID_AT)


LANGUAGES = [
    ("I live in Rome with my wife", "en"),
    ("Ich wohne mit meiner Frau in Bonn", "de"),
    ("Vivo en Madrid con mi madre", "es"),
    ("J'habite à Lyon avec ma mère", "fr"),
    ("我和妈妈住在北京", "zh"),
    ("東京に住んでいます", None),
    ("Я живу в Москве", None),
    ("Vegetarian", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "expected"), LANGUAGES, ids=[case[0] or "empty" for case in LANGUAGES])
def test_language(text: str, expected: str | None) -> None:
    """Small words and script tell the language; where they do not, none is guessed."""
    assert language(text) == expected
