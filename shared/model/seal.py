"""Names that stand for what was erased: keyed hashes, so that one can ask "was X erased?" and nobody can read X.

The key is derived from the server's pepper. Whoever has a receipt but not the pepper can test no guess.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from uuid import UUID

_SEALED = re.compile(r"erased:[0-9a-f]{32}")


class Seal:
    """Makes the names of one server."""

    def __init__(self, pepper: str) -> None:
        self._key = hmac.digest(pepper.encode(), b"flumes erasure", "sha256")

    def entity(self, project_id: UUID, field: str, value: str) -> str:
        """What stands in the place of an entity's id (`field`: user_id …) once it is erased."""
        return value if sealed(value) else f"erased:{self._digest(project_id, field, value).hex()[:32]}"

    def subject(self, project_id: UUID, named: Mapping[str, str]) -> bytes:
        """What a receipt is found by: the ids that were named, whatever their order."""
        return self._digest(project_id, "subject", json.dumps(dict(sorted(named.items()))))

    def request(self, project_id: UUID, endpoint: str, key: str) -> str:
        """What stands in the place of an Idempotency-Key whose request was erased."""
        return f"erased:{self._digest(project_id, endpoint, key).hex()[:32]}"

    def _digest(self, project_id: UUID, kind: str, value: str) -> bytes:
        said = "\0".join((str(project_id), kind, value))
        return hmac.new(self._key, said.encode(), hashlib.sha256).digest()


def sealed(value: str | None) -> bool:
    """Whether this is a name that stands for something erased."""
    return value is not None and _SEALED.fullmatch(value) is not None
