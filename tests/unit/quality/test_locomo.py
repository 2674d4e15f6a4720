"""The loader of LoCoMo-shaped files, on a conversation of our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.quality.evidence import Hit, score, within
from tests.quality.locomo import BadShape, Conversation, Question, load


def sample(**changes: Any) -> dict[str, Any]:
    """Two sessions, out of order in the file; three questions, one adversarial, one about a turn that is missing."""
    return {
        "sample_id": "own-1",
        "conversation": {
            "speaker_a": "Ada", "speaker_b": "Bo",
            "session_2": [{"speaker": "Bo", "dia_id": "D2:1", "text": "I sold my boat."}],
            "session_2_date_time": "12:05 am on 1 March, 2024",
            "session_1": [
                {"speaker": "Ada", "dia_id": "D1:1", "text": "Do you have a boat?"},
                {"speaker": "Bo", "dia_id": "D1:2", "text": "Yes, look.", "blip_caption": "a red boat"},
            ],
            "session_1_date_time": "1:56 pm on 8 May, 2023",
        },
        "qa": [
            {"question": "What did Bo sell?", "answer": "a boat", "category": 1, "evidence": ["D2:1; D1:2"]},
            {"question": "What does Ada fear?", "answer": "?", "category": 5, "evidence": ["D1:1"]},
            {"question": "Where is Bo?", "answer": "?", "category": 2, "evidence": ["D9:1"]},
        ],
        **changes,
    }  # fmt: skip


def written(tmp_path: Path, *samples: dict[str, Any]) -> Path:
    path = tmp_path / "file.json"
    path.write_bytes(orjson.dumps(list(samples)))
    return path


def loaded(tmp_path: Path, **options: bool) -> Conversation:
    (conversation,) = load(written(tmp_path, sample()), **options)
    return conversation


def test_sessions_come_in_order_with_times_of_their_own(tmp_path: Path) -> None:
    """Session by number; the turns of a session follow its date, a minute apart, so that a time names a turn."""
    conversation = loaded(tmp_path)

    assert [turn.id for turn in conversation.turns] == ["D1:1", "D1:2", "D2:1"]
    stamps = [turn.at.isoformat() for turn in conversation.turns]
    assert stamps == ["2023-05-08T13:56:00+00:00", "2023-05-08T13:57:00+00:00", "2024-03-01T00:05:00+00:00"]


def test_captions_stand_behind_the_text_or_are_left_out(tmp_path: Path) -> None:
    """What a photo shows is part of what was shared."""
    assert loaded(tmp_path).turns[1].text == "Yes, look. [shares a red boat]"
    assert loaded(tmp_path, captions=False).turns[1].text == "Yes, look."


def test_questions_without_evidence_or_answer_are_left_out(tmp_path: Path) -> None:
    """Adversarial questions and those about missing turns; several ids in one string are all read."""
    (question,) = loaded(tmp_path).questions

    assert (question.text, question.evidence) == ("What did Bo sell?", frozenset({"D2:1", "D1:2"}))


@pytest.mark.parametrize(
    "broken",
    [{"conversation": {}}, {"qa": []}, {"qa": [{"question": "?"}]}, {"conversation": {"session_1": []}}, {"qa": None}],
    ids=["no sessions", "no questions", "no evidence", "no date", "no list"],
)
def test_another_shape_is_refused_by_name(tmp_path: Path, broken: dict[str, Any]) -> None:
    """The message says which conversation is at fault."""
    with pytest.raises(BadShape, match="conversation 1"):
        load(written(tmp_path, sample(), sample(**broken)))


def test_what_is_no_list_or_no_json_is_refused(tmp_path: Path) -> None:
    """A file of another kind is no silent zero."""
    for content in (b"{}", b"[]", b"no json"):
        path = tmp_path / "file.json"
        path.write_bytes(content)
        with pytest.raises(BadShape):
            load(path)


def asked(*evidence: str) -> Question:
    return Question("?", frozenset(evidence), 1)


def hit(size: int, *turns: str) -> Hit:
    return Hit(size, frozenset(turns))


def test_recall_counts_the_evidence_among_the_first_hits() -> None:
    """Half of the evidence at rank 2, all of it at rank 11."""
    hits = [hit(1), hit(1, "a"), *[hit(1)] * 8, hit(1, "b")]

    figures = score([asked("a", "b")], [hits])

    assert (figures.recall, figures.mrr) == ({5: 0.5, 10: 0.5, 20: 1.0}, 0.5)


def test_recall_is_the_mean_over_questions() -> None:
    """A question nothing was found for counts with zero."""
    figures = score([asked("a"), asked("b")], [[hit(1, "a")], []])

    assert (figures.recall[10], figures.mrr, figures.questions) == (0.5, 0.5, 2)


def test_budget_ends_with_the_first_text_that_does_not_fit() -> None:
    """A later, shorter text does not slip in."""
    assert within([hit(300, "a"), hit(201, "b"), hit(10, "c")], 500) == [hit(300, "a")]
    assert len(within([hit(300), hit(200)], 500)) == 2
