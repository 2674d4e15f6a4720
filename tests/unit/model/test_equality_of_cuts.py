"""Posted one by one or coalesced: the current memories come out equal, whatever the messages and the cuts."""

from __future__ import annotations

from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.model.equality import AREAS, CITIES, FIRMS, THINGS, YEARS, Fair, facts
from tests.unit.model.equality_store import Post, Store

_DETAIL = st.sampled_from(["", "", *(f" near {area}" for area in AREAS)])
_SINCE = st.sampled_from(["", "", "", *(f" since {year}" for year in YEARS)])
_HOMES = st.builds("I live in {}{}".format, st.sampled_from(CITIES), _DETAIL)
_JOBS = st.builds("I work at {}{}".format, st.sampled_from(FIRMS), _SINCE)
_THINGS = st.builds("I own a {}".format, st.sampled_from(THINGS))
_FORGETS = st.sampled_from(["Forget where I live", "Forget where I work"])
_BOTH = st.builds("I live in {} and I work at {}".format, st.sampled_from(CITIES), st.sampled_from(FIRMS))
_TALK = st.sampled_from(["Good morning to you", "That is nice of you"])
_TEXTS = st.one_of(_HOMES, _HOMES, _JOBS, _JOBS, _THINGS, _BOTH, _FORGETS, _TALK)

_METADATA = st.none() | st.dictionaries(st.sampled_from("abc"), st.integers(0, 9), min_size=1, max_size=2)
_EXPIRY = st.none() | st.dates(date(2027, 1, 1), date(2027, 1, 3))


@st.composite
def stories(draw: st.DrawFn, *, immutable: bool = False, most: int = 10) -> list[Post]:
    """Events, some late. What says in other words what was said before carries nothing (docs/updates.md)."""
    told: list[Post] = []
    minutes = 0
    for _ in range(draw(st.integers(1, most))):
        words = _TEXTS.filter(lambda text: not text.startswith("Forget")) if immutable else _TEXTS
        texts = tuple(draw(st.lists(words, min_size=1, max_size=2)))
        minutes = draw(st.sampled_from([minutes, minutes + 1, minutes + 1, minutes + 1500, draw(st.integers(0, 3000))]))
        post = Post(texts, minutes)
        if not any(_in_other_words(text, [*told, Post(texts[:place])]) for place, text in enumerate(texts)):
            fixed = immutable and len(texts) == 1 and draw(st.booleans())
            post = Post(texts, minutes, draw(_METADATA), draw(_EXPIRY), fixed)
        told.append(post)
    return told


def _in_other_words(text: str, told: list[Post]) -> bool:
    """What this states was stated before, and not in these words alone."""
    earlier = [(other, fact) for post in told for other in post.texts for fact in facts(other)]
    return any(
        any(fact.key == said.key and fact.covers(said) for _, fact in earlier)
        and any(fact.key == said.key and fact.fits(said) and other != text for other, fact in earlier)
        for said in facts(text)
    )


def one_by_one(story: list[Post], extract: Fair) -> Store:
    """Each event worked on before the next one is posted."""
    store = Store(extract)
    for seq, post in enumerate(story, 1):
        store.post(post, seq)
        store.drain()
    return store


def coalesced(story: list[Post], extract: Fair, batches: list[int], limits: list[int]) -> Store:
    """So many events pile up each time, and are worked on in windows of so many messages."""
    store = Store(extract)
    left = list(enumerate(story, 1))
    turn = 0
    while left:
        size, limit = batches[turn % len(batches)], limits[turn % len(limits)]
        for seq, post in left[:size]:
            store.post(post, seq)
        store.drain(limit)
        left = left[size:]
        turn += 1
    return store


_SIZES = st.lists(st.integers(1, 10), min_size=1, max_size=4)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=stories(), batches=_SIZES, limits=_SIZES, tells_before=st.booleans())
def test_cuts_do_not_matter(story: list[Post], batches: list[int], limits: list[int], *, tells_before: bool) -> None:
    """Texts, metadata, dates, sources, evidence, expiry of what is current; changes, retractions, late messages."""
    extract = Fair(tells_before)

    assert coalesced(story, extract, batches, limits).shown() == one_by_one(story, extract).shown()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=stories(immutable=True), batches=_SIZES, limits=_SIZES, tells_before=st.booleans())
def test_cuts_do_not_matter_to_immutable_memories(
    story: list[Post], batches: list[int], limits: list[int], *, tells_before: bool
) -> None:
    """What may not be changed stands beside what contradicts it, in every cut."""
    extract = Fair(tells_before)

    assert coalesced(story, extract, batches, limits).shown() == one_by_one(story, extract).shown()
