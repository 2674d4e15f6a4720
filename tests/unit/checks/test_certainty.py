"""A "not" or a "maybe" of the quote stands in the text that repeats it; other words may say the same."""

from __future__ import annotations

import pytest

from tests.unit.checks.samples import problems

TURNED = {
    "not lost": ("I don't eat meat", "Eats meat", "negation"),
    "not added": ("I eat meat every day", "Doesn't eat meat", "negation"),
    "clause": ("I left Rome, but I might move to Milan", "Moves to Milan", "hedge"),
    "never lost": ("I have never been to Japan", "Has been to Japan", "negation"),
    "german": ("Ich esse kein Fleisch", "Isst Fleisch", None),  # another form of the word: not judged
    "german form": ("Ich trinke keinen Kaffee", "Trinkt Kaffee", "negation"),
    "spanish": ("No vivo en Madrid", "Vive en Madrid", "negation"),
    "french": ("Je ne fume pas de cigares", "Fume des cigares", "negation"),
    "chinese": ("我不吃牛肉和猪肉", "吃牛肉和猪肉", "negation"),
    "might": ("I might move to Spain", "Moves to Spain", "hedge"),
    "maybe": ("Maybe we buy a house in Kent", "Buys a house in Kent", "hedge"),
    "vielleicht": ("Vielleicht ziehe ich nach Bonn", "Zieht nach Bonn", "hedge"),
    "quizas": ("Quizás compre un coche rojo", "Compra un coche rojo", "hedge"),
    "peut-etre": ("Je vais peut-être acheter un vélo", "Va acheter un vélo", "hedge"),
    "chinese maybe": ("我可能明年搬到上海", "明年搬到上海", "hedge"),
}
FINE = {
    "kept not": ("I don't eat meat", "Doesn't eat meat"),
    "other words": ("I don't eat meat", "Is vegetarian"),
    "idiom": ("I can't wait to see Rome", "Wants to see Rome"),
    "no longer": ("I no longer work at Acme", "Does not work at Acme any more"),
    "stopped": ("I stopped eating meat", "Doesn't eat meat"),
    "quit": ("I quit Acme", "No longer at Acme"),
    "kept hedge": ("I might move to Spain", "Might move to Spain"),
    "other hedge": ("I might move to Spain", "Is considering a move to Spain"),
    "month": ("I moved to Spain in May", "Moved to Spain in May"),
    "not only": ("I speak not only English but Greek", "Speaks English and Greek"),
    "double": ("I don't think it's not safe in Rome", "Thinks Rome is safe"),
    "another clause": ("I am not at Acme any more, moved to Milan", "Moved to Milan"),
    "another doubt": ("I might quit and I live in Rome", "Lives in Rome"),
    "chinese kept": ("我不吃牛肉和猪肉", "不吃牛肉和猪肉"),
    "longer text": ("I don't eat meat", "Eats fish, but no meat"),
}


@pytest.mark.parametrize(("said", "text", "reason"), TURNED.values(), ids=TURNED)
def test_a_statement_turned_around_is_a_fault(said: str, text: str, reason: str | None) -> None:
    """Its words all stand in the quote, the one that matters does not."""
    assert problems(said, text) == ([reason] if reason else [])


@pytest.mark.parametrize(("said", "text"), FINE.values(), ids=FINE)
def test_what_keeps_the_meaning_stands(said: str, text: str) -> None:
    """Retold in other words, or with the doubt in them."""
    assert problems(said, text) == []
