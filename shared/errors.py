"""The one error tree of the service.

    ServiceError
    ├── BadRequest           400  the caller's input, names the field
    ├── Unauthorized         401
    ├── Forbidden            403
    ├── NotFound             404  also a foreign id
    ├── Conflict             409
    ├── TooLarge             413
    ├── Unprocessable        422
    ├── Overloaded           429  + retry_after
    ├── NoModel              501  only a chat model can do this
    ├── Unavailable          503  a dependency of the API itself (Postgres) is away
    └── WorkError                 why a window did not become memories
        ├── Snooze           503  a dependency is away: no attempt consumed, try after `retry_after`
        ├── Narrow           502  this window is too much or holds a poison message: halve it
        └── PermanentFailure 502  no further try of the same input will help

Only `api/errors.py` makes HTTP of it, only `workers/tasks.py` and `pipeline/run.py` decide on retry, snooze or failure.
"""

from __future__ import annotations


class ServiceError(Exception):
    """An error with a stable `code`, the HTTP `status` it maps to and whether the same call may succeed later."""

    code = "internal"
    status = 500
    retryable = False

    def __init__(
        self,
        detail: str,
        *,
        field: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        extra: dict[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.retry_after = retry_after
        self.extra = extra or {}
        if code is not None:
            self.code = code


class BadRequest(ServiceError):
    code = "invalid_request"
    status = 400


class Unauthorized(ServiceError):
    code = "unauthorized"
    status = 401


class Forbidden(ServiceError):
    code = "forbidden"
    status = 403


class NotFound(ServiceError):
    code = "not_found"
    status = 404


class Conflict(ServiceError):
    code = "conflict"
    status = 409


class TooLarge(ServiceError):
    code = "too_large"
    status = 413


class Unprocessable(ServiceError):
    code = "unprocessable"
    status = 422


class Overloaded(ServiceError):
    code = "overloaded"
    status = 429
    retryable = True


class NoModel(ServiceError):
    """The service works without a chat model, and this cannot."""

    code = "model_needed"
    status = 501


class Unavailable(ServiceError):
    code = "unavailable"
    status = 503
    retryable = True


class WorkError(ServiceError):
    """Why a window did not become memories; `provider` names the dependency at fault."""

    status = 502

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        provider: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail, code=code, retry_after=retry_after)
        self.provider = provider


class Snooze(WorkError):
    """A dependency (LLM, embeddings, vector index) is away or over its limits; the work waits and keeps its attempts.

    Codes: `provider_unavailable`, `provider_timeout`, `rate_limited`, `quota_exhausted`, `provider_auth`,
    `model_not_found`, `embeddings_unavailable`, `embeddings_invalid`, `index_unavailable`, `spend_ceiling`.
    """

    code = "provider_unavailable"
    status = 503
    retryable = True


class Narrow(WorkError):
    """The window must be cut: `context_too_long`, `output_too_long`, `llm_refused`, `content_filtered`,
    `provider_rejected`, `llm_invalid_output`, `llm_ungrounded`.

    A window of one message that still raises this fails with the same code.
    """

    code = "llm_invalid_output"


class PermanentFailure(WorkError):
    """Codes: `llm_invalid_output`, `llm_ungrounded`, `crashed`, `expired`, `internal`."""

    code = "llm_invalid_output"
