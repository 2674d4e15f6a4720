"""What the pipeline did, as metrics: records by fate, tokens, calls, events by how they ended."""

from __future__ import annotations

from collections.abc import Mapping

from shared import metrics
from shared.model.record import Extraction, Usage
from workers.work import Checked, Done


def count_answer(extraction: Extraction, checked: Checked) -> None:
    """One extractor answer and what the checks made of it."""
    metrics.RECORDS.labels("accepted").inc(len(checked.decisions))
    for reasons in checked.rejections.values():
        for reason, count in reasons.items():
            metrics.RECORDS.labels(str(reason)).inc(count)
    count_usage(extraction.usage.as_dict(), "answered")


def count_usage(usage: Mapping[str, int] | Usage, outcome: str) -> None:
    """Calls and tokens of one window at the provider, whether it led to memories or not."""
    spent = usage.as_dict() if isinstance(usage, Usage) else usage
    metrics.LLM_CALLS.labels(outcome).inc(spent.get("calls", 0))
    for kind in ("prompt_tokens", "completion_tokens", "cached_tokens"):
        metrics.LLM_TOKENS.labels(kind).inc(spent.get(kind, 0))


def count_ended(done: Done) -> None:
    """Events that ended with this window; a snoozed one has not."""
    if done.snoozed:
        return
    for event in done.finished:
        metrics.FINISHED.labels("FAILED" if event.error_code else "SUCCEEDED", event.error_code or "").inc()
