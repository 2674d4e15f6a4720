"""Stage 2: which stored memories the extractor is shown, found before it is asked.

A small scope shows everything; one that is too large, or too long for the prompt, is searched sentence by sentence,
without a similarity floor, and the least similar are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from uuid import UUID

from shared.db import hints, index_collections, index_queue, memories
from shared.db.index_collections import BM25_ONLY, Collection
from shared.embeddings.port import Embedder
from shared.errors import Narrow, Snooze
from shared.logs import get_logger
from shared.model.memory import Memory
from shared.model.record import Candidate, Usage
from shared.model.sentences import queries
from shared.vectors.failures import PROVIDER as INDEX
from shared.vectors.types import Dense, Hit, Query, Where
from workers.parts import Parts
from workers.pipeline.prompts.extract import fitting
from workers.work import Recalled, Work

_DENSE_EACH = 3  # hits per sentence at least, measured: 3 + 2 found 86 % of what the finished fact would find
_BM25_EACH = 2

_log = get_logger(__name__)


def recall(parts: Parts, work: Work) -> Recalled:
    """Numbered candidates in a stable order. Raises `Snooze` when the index or the embeddings are away."""
    scope, cap = work.claim.scope, parts.settings.candidates
    with parts.db.transaction() as session:
        everything = memories.current_of_scope(session, scope, cap + 1)
        hinted = hints.pending(session, scope)
        small = len(everything) <= cap
        if small and len(fitting(everything)) == len(everything):
            return Recalled(_numbered(everything), tuple(hinted))
        fresh = index_queue.unindexed(session, scope, cap)
        collection = index_collections.active(session)
    found, usage = _search(parts, work, collection)
    # Rows the index may not have yet are as likely as its hits to be what the window speaks about.
    rest = [memory.id for memory in reversed(everything)] if small else []
    chosen = _first([*hinted, *_interleave([found, fresh]), *rest], cap * 2)
    with parts.db.transaction() as session:
        _trusted(index_collections.active(session))
        confirmed = memories.current_in_scope(session, scope, chosen)
    shown = fitting([confirmed[memory_id] for memory_id in chosen if memory_id in confirmed][:cap])
    left_out = set(confirmed) - {memory.id for memory in shown}
    return Recalled(_numbered(shown), tuple(item for item in hinted if item not in left_out), usage)


def _search(parts: Parts, work: Work, collection: Collection | None) -> tuple[list[UUID], Usage]:
    """Memory ids, best first: the first hits of all sentences by meaning and by words, then the second ones, ..."""
    texts = queries(work.window.messages)
    if not texts or collection is None or _is_unborn(collection):
        return [], Usage()
    parts.ensure_collection(collection.name, collection.dimensions)
    dense: list[Dense | None] = [None] * len(texts)
    usage = Usage()
    if parts.embedder is not None and parts.embedder.model == collection.model and collection.dimensions:
        dense, usage = _meanings(parts.embedder, texts)
    where = Where(work.claim.scope.project_id, scope_id=work.claim.scope.scope_id)
    near, alike = _depths(len(texts), parts.settings.candidates, with_dense=dense[0] is not None)
    asked = [Query(text, where, vector, near, alike) for text, vector in zip(texts, dense, strict=True)]
    found = parts.index.search(collection.name, asked)
    return _interleave([ranked for hits in found for ranked in _rankings(hits)]), usage


def _meanings(embedder: Embedder, texts: Sequence[str]) -> tuple[list[Dense | None], Usage]:
    """The sentences' vectors; none where the provider refuses one of them: then their words must do."""
    try:
        embedded = embedder.embed(texts)
    except Narrow as error:
        _log.warning("sentences_not_embedded", code=error.code)
        return [None] * len(texts), Usage()
    return list(embedded.vectors), Usage(embedding_calls=embedded.calls, embedding_tokens=embedded.tokens)


def _trusted(collection: Collection | None) -> None:
    """Nothing is added blindly: an index that lost points says nothing about what is known, before it is full again."""
    if collection is not None and collection.refilling:
        raise Snooze("the index is being written again", code="index_unavailable", provider=INDEX, retry_after=2)


def _is_unborn(collection: Collection) -> bool:
    """The size of its vectors is not known before the first one was made: nothing can be in it yet."""
    return collection.dimensions is None and collection.model != BM25_ONLY


def _depths(sentences: int, room: int, *, with_dense: bool) -> tuple[int, int]:
    """Dense and BM25 hits to ask for by sentence: few sentences use all the room there is."""
    share = -(-room // sentences)
    if not with_dense:
        return 0, max(_DENSE_EACH + _BM25_EACH, share)
    return max(_DENSE_EACH, share), max(_BM25_EACH, -(-share // 2))


def _rankings(hits: Sequence[Hit]) -> tuple[list[UUID], list[UUID]]:
    """A sentence's hits by meaning and by words, apart: each finds what the other one cannot."""
    by_meaning = sorted((hit for hit in hits if hit.semantic is not None), key=lambda hit: hit.semantic or 0.0)
    by_words = sorted((hit for hit in hits if hit.bm25), key=lambda hit: hit.bm25 or 0.0)
    return [hit.memory_id for hit in reversed(by_meaning)], [hit.memory_id for hit in reversed(by_words)]


def _interleave(lists: Sequence[Sequence[UUID]]) -> list[UUID]:
    """The first of every list, then the second of every list, and so on."""
    rounds: Iterable[tuple[UUID | None, ...]] = zip_longest(*lists)
    return [item for rank in rounds for item in rank if item is not None]


def _first(ids: Iterable[UUID], limit: int) -> list[UUID]:
    return list(dict.fromkeys(ids))[:limit]


def _numbered(shown: Sequence[Memory]) -> tuple[Candidate, ...]:
    ordered = sorted(shown, key=lambda memory: (memory.created_at, memory.id))
    return tuple(
        Candidate(
            number, memory.id, memory.version, memory.text, memory.kind,
            (memory.valid_from or memory.observed_at).date().isoformat(), memory.observed_at, memory.immutable,
        )
        for number, memory in enumerate(ordered)
    )  # fmt: skip
