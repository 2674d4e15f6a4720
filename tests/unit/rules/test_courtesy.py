"""Courtesy says nothing; what is said behind it counts; and the same statement in another order is the same."""

from __future__ import annotations

import pytest

from tests.unit.rules.conversation import said, window
from workers.rules.extractor import extract


def texts(*messages: str, speaker: str | None = None) -> list[str]:
    """The texts that a window's messages lead to."""
    return [record.text for record in extract(window(*(said(text, speaker=speaker) for text in messages)), ()).records]


@pytest.mark.parametrize(
    "text",
    [
        "thank you for your suggestion",
        "Many thanks for your kind suggestions!",
        "ok thank you for your suggestion",
        "Thanks a lot for the suggestion, I will try it",
        "Thank you for your help with the tax return",
        "danke für deinen Vorschlag",
        "Vielen Dank für den Tipp!",
        "gracias por tu sugerencia",
        "Muchas gracias por la recomendación.",
        "merci pour ta suggestion",
        "Merci beaucoup pour votre aide",
        "grazie per il suggerimento",
        "Obrigado pela sugestão!",
        "спасибо за совет",
        "谢谢你的建议",
        "非常感谢你的推荐！",
        "ありがとうございます",
    ],
)
@pytest.mark.parametrize("speaker", [None, "Maria"])
def test_thanks_give_nothing(text: str, speaker: str | None) -> None:
    """Whatever they are for, in the languages people thank in."""
    assert texts(text, speaker=speaker) == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Thank you for your suggestion, but I'm allergic to nuts", "Is allergic to nuts"),
        ("Thanks for asking, I live in Rome", "Lives in Rome"),
        ("I am so glad to hear that, I moved to Rome in 2020", "Moved to Rome in 2020"),
        ("Good thanks, I just got back from Berlin", "Got back from Berlin"),
        ("Danke für den Vorschlag, aber ich bin Vegetarier", "Ich bin Vegetarier"),
        ("Gracias por la idea, pero soy alérgica a las nueces", "Soy alérgica a las nueces"),
        ("Merci pour le conseil, mais je suis végétarienne", "Je suis végétarienne"),
        ("谢谢你的建议，但是我对坚果过敏", "我对坚果过敏"),
        ("Don't tell anyone but I'm pregnant", "Is pregnant"),
        ("Please don't tell my wife that I bought a ring", "Bought a ring"),
        ("Between you and me, I hate my boss", "Hates their boss"),
    ],
)
def test_what_follows_courtesy_is_kept(text: str, kept: str) -> None:
    """Thanks, small talk and "don't tell anyone" are openings, not the statement."""
    assert texts(text) == [kept]


@pytest.mark.parametrize(
    ("first", "again", "kept"),
    [
        ("On Mondays I play chess", "I play chess on Mondays", "Plays chess on Mondays"),
        ("Every Tuesday I go swimming.", "I go swimming every Tuesday", "Goes swimming every Tuesday"),
        ("In the morning I drink tea", "I drink tea in the morning", "Drinks tea in the morning"),
        ("After work, I go running with Tom", "I go running with Tom after work", "Goes running with Tom after work"),
        ("I play chess with Tom on Mondays", "I play chess on Mondays with Tom", "Plays chess with Tom on Mondays"),
    ],
)
def test_phrases_in_another_order_are_the_same(first: str, again: str, kept: str) -> None:
    """Whichever came first."""
    assert texts(first, again) == [kept]
    assert len(texts(again, first)) == 1


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("I flew to Rome from Milan", "I flew to Milan from Rome"),
        ("I like dogs more than cats", "I like cats more than dogs"),
        ("I play chess on Mondays", "I play chess on Tuesdays"),
        ("I walk to work with Tom", "I walk to Tom with work"),
    ],
)
def test_words_in_another_order_are_not(first: str, other: str) -> None:
    """Only whole phrases may change places."""
    assert len(texts(first, other)) == 2


@pytest.mark.parametrize("text", ["In my opinion I deserve more", "At least I have a job", "With this in mind I quit"])
def test_what_leads_into_a_statement_stays_in_front(text: str) -> None:
    """It says nothing about when or where."""
    (kept,) = texts(text)
    assert kept.split()[0] == text.split(maxsplit=1)[0]


def test_having_and_not_having_contradict() -> None:
    """One memory, the later one, in one window as in two."""
    assert texts("I have a dog.", "I don't have a dog.") == ["Doesn't have a dog"]
