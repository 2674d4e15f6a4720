"""First person into third: verbs, pronouns, "we", names; only words that were said or pronouns appear."""

from __future__ import annotations

import pytest

from workers.rules.third_person import expand, implied_subject, third_person

UNNAMED = [
    ("I live in Lisbon", "lives in Lisbon"),
    ("I'm a nurse", "is a nurse"),
    ("I’m a nurse", "is a nurse"),
    ("im a nurse", "is a nurse"),
    ("i have a dog", "has a dog"),
    ("I don't eat meat", "doesn't eat meat"),
    ("I do not eat meat", "does not eat meat"),
    ("I've been to Peru", "has been to Peru"),
    ("I no longer smoke", "no longer smokes"),
    ("My name's Ana", "name is Ana"),
    ("My wife's a doctor", "wife is a doctor"),
    ("My wife's car is red", "wife's car is red"),
    ("I'll call my mother", "will call their mother"),
    ("I'd like a garden", "would like a garden"),
    ("I'd been there", "had been there"),
    ("I'd need a garden", "would need a garden"),
    ("I went home", "went home"),
    ("I can't swim", "can't swim"),
    ("I used to smoke", "used to smoke"),
    ("I study law", "studies law"),
    ("I watch birds", "watches birds"),
    ("I play chess", "plays chess"),
    ("I bring lunch", "brings lunch"),
    ("I need sleep", "needs sleep"),
    ("I really do love jazz", "really does love jazz"),
    ("I do love jazz", "loves jazz"),
    ("I always lose my keys", "always loses their keys"),
    ("Recently I moved", "recently moved"),
    ("I read a lot of books", "reads a lot of books"),
    ("I live in Rome and work at Acme", "lives in Rome and works at Acme"),
    ("I want to eat and drink with my wife", "wants to eat and drink with their wife"),
    ("My dog is old and I love him", "dog is old and they love him"),
    ("When I was young I lived in Peru", "When they were young they lived in Peru"),
    ("My wife and I are moving", "They and their wife are moving"),
    ("We have two kids", "They have two kids"),
    ("Our house is blue", "Their house is blue"),
    ("They gave it to me and to us", "They gave it to them and to them"),
    ("I moved to the US", "moved to the US"),
    ("I cook for myself", "cooks for themselves"),
]


@pytest.mark.parametrize(("said", "told"), UNNAMED, ids=[case[0] for case in UNNAMED])
def test_without_a_name_the_subject_is_left_out(said: str, told: str) -> None:
    """Subjectless where the speaker comes first, "they" later."""
    assert third_person(said) == told


NAMED = [
    ("I live in Lisbon with my husband", "Maria lives in Lisbon with their husband"),
    ("My sister visits me", "Maria's sister visits them"),
    ("When I was young I sang", "When Maria was young they sang"),
    ("I'm 30 and I'm tired", "Maria is 30 and they are tired"),
    ("We love our garden", "Maria and others love their garden"),
    ("My wife and I are moving", "Maria and their wife are moving"),
]


@pytest.mark.parametrize(("said", "told"), NAMED, ids=[case[0] for case in NAMED])
def test_with_a_name(said: str, told: str) -> None:
    """The name once, "they" after it."""
    assert third_person(said, "Maria") == told


@pytest.mark.parametrize(
    ("said", "lead"),
    [
        ("Went to Rome", "I "),
        ("Love sushi", "I "),
        ("Planning a trip to Peru", "I am "),
        ("Been to Peru twice", "I have "),
        ("Love is blind", ""),
        ("Got it", ""),
        ("The cat sleeps", ""),
    ],
)
def test_the_subject_left_out_by_the_speaker(said: str, lead: str) -> None:
    """Telegram style is the speaker's own doing; other fragments are not."""
    assert implied_subject(said) == lead


def test_expand_keeps_other_words() -> None:
    """Only the first person's contractions are written out."""
    assert expand("It’s fine, I'm here, she'll come") == "It's fine, I am here, she'll come"
