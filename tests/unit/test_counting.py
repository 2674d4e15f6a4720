"""What a window cost and how its records fared, as metrics."""

from __future__ import annotations

from uuid import uuid4

from prometheus_client import REGISTRY

from shared.model.record import Extraction, Extractor, Usage
from workers.counting import count_answer, count_usage
from workers.work import Checked

SPENT = Usage(calls=2, prompt_tokens=900, completion_tokens=80, cached_tokens=512)


def value(name: str, **labels: str) -> float:
    """A counter as it stands; 0 before its first count."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def tokens() -> list[float]:
    """Prompt, completion and cached tokens so far."""
    return [value("flumes_llm_tokens_total", kind=f"{kind}_tokens") for kind in ("prompt", "completion", "cached")]


def test_calls_and_tokens_add_up() -> None:
    """By outcome, and by kind of token; what led to nothing was paid for all the same."""
    before, calls = tokens(), value("flumes_llm_calls_total", outcome="failed")
    count_usage(SPENT, "failed")
    count_usage(SPENT.as_dict(), "failed")

    assert [after - early for after, early in zip(tokens(), before, strict=True)] == [1_800, 160, 1_024]
    assert value("flumes_llm_calls_total", outcome="failed") - calls == 4


def test_records_are_counted_by_their_fate() -> None:
    """Accepted ones and each reason of a rejection, over all events of the window."""
    early = {fate: value("flumes_records_total", fate=fate) for fate in ("secret", "quote")}
    rejections = {uuid4(): {"secret": 1, "quote": 2}, uuid4(): {"secret": 3}}
    checked = Checked((), rejections, Extractor("openai"), SPENT)
    count_answer(Extraction((), Extractor("openai"), SPENT), checked)

    assert {fate: value("flumes_records_total", fate=fate) - early[fate] for fate in early} == {"secret": 4, "quote": 2}
