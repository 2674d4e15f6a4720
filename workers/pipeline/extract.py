"""Stage 3: one call to the extractor for the whole window; its answer is not trusted yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.crashpoints import reach
from shared.model.message import Window
from shared.model.record import Candidate, Extraction, Extractor, Record
from workers.parts import Parts
from workers.work import Work

_SILENT_ROLES = ("system", "tool")

FaultsIn = Callable[[Window, Sequence[Candidate], Sequence[Record]], list[str]]


def extract(parts: Parts, work: Work, candidates: Sequence[Candidate], faults_in: FaultsIn) -> Extraction:
    """Records of the window. Raises `Snooze`, `Narrow` or `PermanentFailure`; never an empty answer for a failure."""
    if all(message.role in _SILENT_ROLES for message in work.window.messages):
        return Extraction((), Extractor("rules"))  # nothing here may become a memory, so nobody need be asked
    reach("extract.before", (message.text for message in work.window.messages))
    extraction = parts.extract(work.window, candidates, lambda records: faults_in(work.window, candidates, records))
    reach("extract.after", (message.text for message in work.window.messages))
    return extraction
