"""Stage 5: vectors for the new texts, in one batch, and the near neighbours nobody looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from shared.db import index_collections
from shared.errors import WorkError
from shared.logs import get_logger
from shared.model.decision import Decision
from shared.model.record import Candidate, Usage
from shared.vectors.types import Query, Where
from workers.parts import Parts
from workers.pipeline.prompts.extract import has_room
from workers.work import Checked, Work

# Cosine above which a memory that was not shown is worth showing next time; 2.7-5 % of facts, measured.
NEAR = 0.8
_WRITES_TEXT = ("ADD", "REFINE", "SUPERSEDE")

_log = get_logger(__name__)


def embed(parts: Parts, work: Work, candidates: Sequence[Candidate], checked: Checked) -> Checked:
    """The decisions with their vectors. Embeddings that are away cost nothing: the index queue makes them later."""
    writing = [index for index, item in enumerate(checked.decisions) if item.op in _WRITES_TEXT]
    if parts.embedder is None or not writing:
        return checked
    try:
        embedded = parts.embedder.embed([checked.decisions[index].index_text for index in writing])
    except WorkError as error:
        _log.warning("embedding_postponed", code=error.code)
        return checked
    decisions = list(checked.decisions)
    for index, vector in zip(writing, embedded.vectors, strict=True):
        decisions[index] = replace(decisions[index], embedding=vector)
    usage = checked.usage + Usage(embedding_calls=embedded.calls, embedding_tokens=embedded.tokens)
    near = _neighbours(parts, work, candidates, [decisions[index] for index in writing])
    return replace(checked, decisions=tuple(decisions), usage=usage, neighbours=near)


def _neighbours(
    parts: Parts, work: Work, candidates: Sequence[Candidate], written: Sequence[Decision]
) -> tuple[UUID, ...]:
    """Memories close to a new text that the extractor was not shown. Only a scope that is cut short can have any."""
    whole = len(candidates) < parts.settings.candidates and has_room(candidates)
    if whole or parts.embedder is None:
        return ()
    with parts.db.transaction() as session:
        collection = index_collections.active(session)
    if collection is None or collection.model != parts.embedder.model:
        return ()
    where = Where(work.claim.scope.project_id, scope_id=work.claim.scope.scope_id)
    asked = [Query(item.index_text, where, item.embedding, dense_limit=2, bm25_limit=0) for item in written]
    shown = {candidate.memory_id for candidate in candidates}
    try:
        answers = parts.index.search(collection.name, asked)
    except WorkError as error:
        _log.warning("neighbours_not_looked_up", code=error.code)
        return ()
    near = [hit.memory_id for hits in answers for hit in hits if (hit.semantic or 0.0) >= NEAR]
    return tuple(dict.fromkeys(memory_id for memory_id in near if memory_id not in shown))
