"""What the way an event ended means to the caller who waited for it."""

from __future__ import annotations

from shared.db.events import Event
from shared.errors import ServiceError

PARTIAL = "partial"

# code: status, whether the same messages may succeed later, what to tell
_ENDS: dict[str, tuple[int, bool, str]] = {
    "llm_refused": (422, False, "the model refused to work on these messages"),
    "content_filtered": (422, False, "the model's content filter stopped these messages"),
    "context_too_long": (502, False, "a message is too long for the model"),
    "output_too_long": (502, False, "a message yields more than the model may answer"),
    "llm_invalid_output": (502, False, "the model's answer could not be used"),
    "llm_ungrounded": (502, False, "the model's answer was not grounded in the messages"),
    "crashed": (500, True, "working on these messages ended the worker several times"),
    "internal": (500, False, "working on these messages failed"),
    "provider_rejected": (502, False, "the model's server calls the request wrong"),
    "expired": (503, True, "these messages could not be worked on in time"),
}
_PROVIDER = (502, True, "a provider failed")


class EventFailed(ServiceError):
    """An accepted event ended FAILED; it stays listed under its id."""


def reason(event: Event) -> str | None:
    """Why an event failed, in one sentence; None unless it did."""
    if event.status != "FAILED":
        return None
    if event.error_code == PARTIAL:
        return f"{len(event.failed)} of the messages could not be worked on; the others were"
    return _ENDS.get(event.error_code or "", _PROVIDER)[2]


def failure(event: Event) -> EventFailed | None:
    """What to raise to a caller whose event failed as a whole; None when there are results to show."""
    if event.status != "FAILED" or event.error_code == PARTIAL:
        return None
    code = event.error_code or "internal"
    status, retryable, sentence = _ENDS.get(code, _PROVIDER)
    error = EventFailed(sentence, code=code, extra={"event_id": str(event.id)})
    error.status, error.retryable = status, retryable
    return error
