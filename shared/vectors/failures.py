"""What a failed call to Qdrant means: nearly always "away, try later", never an empty answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse
from qdrant_client.models import UpdateResult, UpdateStatus

from shared.errors import PermanentFailure, Snooze

PROVIDER = "qdrant"
_OUR_MISTAKE = frozenset({400, 413, 422, 501})


@contextmanager
def translated(action: str) -> Iterator[None]:
    """Raises `Snooze(index_unavailable)`, or `PermanentFailure(internal)` where Qdrant calls our request wrong."""
    try:
        yield
    except ResourceExhaustedResponse as error:
        raise away(f"{action}: over its limits", error.retry_after_s) from error
    except UnexpectedResponse as error:
        raise _refused(action, error) from error
    except ResponseHandlingException as error:
        raise away(f"{action}: {type(error.source).__name__} {error.source}".rstrip()) from error


def _refused(action: str, error: UnexpectedResponse) -> Snooze | PermanentFailure:
    said = error.content.decode("utf-8", "replace")[:300]
    if error.status_code in _OUR_MISTAKE:
        return PermanentFailure(f"{action}: Qdrant {error.status_code}: {said}", code="internal", provider=PROVIDER)
    return away(f"{action}: Qdrant {error.status_code}: {said}")


def away(detail: str, retry_after: float | None = None) -> Snooze:
    """The index cannot be used now."""
    return Snooze(detail, code="index_unavailable", provider=PROVIDER, retry_after=retry_after)


def check_completed(action: str, result: UpdateResult) -> None:
    """A write counts once it is applied; `acknowledged` and `wait_timeout` do not, the caller must repeat it."""
    if result.status != UpdateStatus.COMPLETED:
        raise away(f"{action}: answered {result.status}, not completed")
