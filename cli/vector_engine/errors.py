"""The errors a request can end with, in the words and status codes of a Qdrant server."""

from __future__ import annotations

_WRONG_INPUT = (
    "Vector dimension error",
    "Not existing vector name error",
    "Wrong usage of sparse vectors",
    "Wrong input",
    "Bad request",
    "No appropriate index for faceting",
    "Validation error",
)


class EngineError(Exception):
    """A request that cannot be answered; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def bad_request(message: str) -> EngineError:
    """The body or a parameter is wrong."""
    return EngineError(400, f"Wrong input: {message}")


def unsupported(what: str) -> EngineError:
    """Qdrant knows this, the embedded engine does not: refused by name, never half answered."""
    return EngineError(501, f"Not supported by the embedded vector engine: {what}")


def no_collection(name: str) -> EngineError:
    """No collection or alias of that name."""
    return EngineError(404, f"Not found: Collection `{name}` doesn't exist!")


def from_shard(error: Exception, collection: str) -> EngineError:
    """What the engine library raised (it has one exception type and tells causes by message)."""
    message = str(error)
    if "Shard is not initialized" in message:  # dropped while the call was waiting for it
        return no_collection(collection)
    if isinstance(error, ValueError | TypeError | OverflowError) or message.startswith(_WRONG_INPUT):
        return bad_request(message)
    return EngineError(500, f"Service internal error: {message}")
