"""Why a record is not kept: the closed list that is counted on events and explained in docs/checks.md."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """The first group can be mended by the extractor, so it is asked once more; the second is final."""

    SRC = "src"
    QUOTE = "quote"
    LENGTH = "length"
    LANGUAGE = "language"
    SPEAKER = "speaker"
    NUMBER = "number"
    NAME = "name"
    DATE = "date"
    NEGATION = "negation"
    HEDGE = "hedge"

    ROLE = "role"
    SECRET = "secret"  # noqa: S105
    INJECTED_ORDER = "injected_order"
    DUPLICATE = "duplicate"
    CAP = "cap"
    NO_TARGET = "no_target"
    TARGET_TAKEN = "target_taken"
    UNRELATED = "unrelated"
    UNASKED = "unasked"
    IMMUTABLE = "immutable"


FAULTS = frozenset(
    (
        Reason.SRC,
        Reason.QUOTE,
        Reason.LENGTH,
        Reason.LANGUAGE,
        Reason.SPEAKER,
        Reason.NUMBER,
        Reason.NAME,
        Reason.DATE,
        Reason.NEGATION,
        Reason.HEDGE,
    )
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one record. `detail` goes back to the model: it holds no more than the offending word."""

    reason: Reason
    detail: str

    @property
    def mendable(self) -> bool:
        return self.reason in FAULTS
