"""Stage 7: apply the index queue to the vector index. Rows leave the queue only when the index confirmed them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import wait
from dataclasses import replace
from functools import partial
from uuid import UUID

import numpy as np

from shared.crashpoints import reach
from shared.db import index_collections, index_queue, tenancy
from shared.db.index_collections import BM25_ONLY, Collection
from shared.db.index_queue import Due
from shared.embeddings.port import Embedder
from shared.errors import Narrow, WorkError
from shared.logs import get_logger
from shared.model.record import MESSAGE_KIND
from shared.vectors.types import Dense, Point, Tombstone
from workers.parts import Parts

_BATCH = 256
_PATIENCE = 1.0  # seconds a finished window waits for the index before its callers are told
_PAUSE = 2.0  # seconds rows wait when the index or the embeddings are away

_log = get_logger(__name__)


def index_soon(parts: Parts, memories: Sequence[UUID]) -> None:
    """Apply these memories' rows, but keep nobody waiting for more than a second: the rest follows by itself."""
    if memories:
        wait([parts.background.submit(_index_unwatched, parts, memories)], timeout=_PATIENCE)


def _index_unwatched(parts: Parts, memories: Sequence[UUID]) -> None:
    """Nobody asks for the result: what goes wrong is at least said; the rows come back to the poll by themselves."""
    try:
        index(parts, memories)
    except Exception:  # noqa: BLE001 - logged; nobody else would
        _log.exception("index_failed", memories=len(memories))


@tenancy.across(tenancy.Role.INDEX)
def index(parts: Parts, memories: Sequence[UUID] | None = None, *, limit: int = _BATCH) -> int:
    """Apply due rows (of these memories, else any); returns how many the index confirmed.

    A dependency that is away postpones the rows and is logged, never raised: nothing is lost and the poll goes on.
    """
    if memories is not None and not memories:
        return 0
    known = parts.db.run(index_collections.listing)
    names = [collection.name for collection in known if _is_ours(parts, collection)]
    # What serves comes first: a collection being filled may have a million rows in front of a caller's new memory.
    names.sort(key=lambda name: next(item.state != "active" for item in known if item.name == name))
    applied = 0
    for name in names:
        rows = parts.db.run(partial(index_queue.take, collections=[name], limit=limit, memories=memories))
        applied += _apply(parts, name, rows) if rows else 0
    return applied


def _is_ours(parts: Parts, collection: Collection) -> bool:
    """A collection being filled waits for a process that has its model; one that serves waits for nobody."""
    if collection.state == "retired":
        return False
    can_embed = parts.embedder is not None and parts.embedder.model == collection.model
    return collection.state == "active" or collection.model == BM25_ONLY or can_embed


def _apply(parts: Parts, collection: str, rows: list[Due]) -> int:
    try:
        ready = _with_vectors(parts, rows)
        _ensure(parts, collection, ready)
        parts.index.upsert(collection, [_point(row) for row in ready if _is_live(row)])
        parts.index.delete(collection, [_tombstone(row) for row in ready if not _is_live(row)])
    except WorkError as error:
        parts.forget_collections()
        _log.warning("index_postponed", collection=collection, rows=len(rows), code=error.code)
        pause = max(_PAUSE, error.retry_after or 0.0)
        parts.db.run(lambda session: index_queue.postpone(session, rows, pause))
        return 0
    reach("index.written")
    parts.db.run(lambda session: index_queue.done(session, ready))
    return len(ready)


def _tombstone(row: Due) -> Tombstone:
    return Tombstone(row.change.memory_id, row.change.version, row.change.project_id)


def _is_live(row: Due) -> bool:
    """An upsert whose memory was hidden or moved on meanwhile must not bring it back."""
    return row.change.op == "upsert" and row.text is not None


def _pays(row: Due) -> bool:
    """Kept messages are found by their words alone, except where a vector must settle the size of a collection."""
    return row.kind != MESSAGE_KIND or row.dimensions is None


def _with_vectors(parts: Parts, rows: list[Due]) -> list[Due]:
    """Fill in missing embeddings in one batch and keep them, so that no rebuild pays for them again."""
    embedder = parts.embedder
    missing = [
        position
        for position, row in enumerate(rows)
        if _is_live(row) and row.vector is None and embedder is not None and row.model == embedder.model and _pays(row)
    ]
    if embedder is None or not missing:
        return rows
    vectors = _embedded(embedder, [rows[position].index_text for position in missing])
    made = {position: vector for position, vector in zip(missing, vectors, strict=True) if vector is not None}
    filled = list(rows)
    for position, vector in made.items():
        filled[position] = replace(rows[position], vector=np.asarray(vector, dtype=np.float32))
    kept = [(rows[position].change, vector) for position, vector in made.items()]
    parts.db.run(lambda session: index_queue.keep_vectors(session, embedder.model, kept))
    return filled


def _embedded(embedder: Embedder, texts: list[str]) -> list[Dense | None]:
    """A vector for each text; None for one that is refused by itself: it is found by its words, and stops no other."""
    try:
        return list(embedder.embed(texts).vectors)
    except Narrow as error:
        if len(texts) == 1:
            _log.warning("text_not_embedded", code=error.code)
            return [None]
    half = len(texts) // 2
    return _embedded(embedder, texts[:half]) + _embedded(embedder, texts[half:])


def _ensure(parts: Parts, collection: str, rows: list[Due]) -> None:
    """Make the collection on first use: only now is the size of its vectors certain."""
    dimensions = rows[0].dimensions
    if dimensions is None and rows[0].model != BM25_ONLY:
        sizes = [len(row.vector) for row in rows if row.vector is not None]
        if sizes:
            dimensions = parts.db.run(lambda session: index_collections.fix_dimensions(session, collection, sizes[0]))
        elif parts.embedder is not None:
            dimensions = parts.embedder.dimensions
        else:
            parts.db.run(lambda session: index_collections.settle_bm25(session, collection))
    parts.ensure_collection(collection, dimensions)


def _point(row: Due) -> Point:
    change = row.change
    assert row.created_at is not None  # noqa: S101 - a live row has its memory
    return Point(
        memory_id=change.memory_id, version=change.version, project_id=change.project_id, scope_id=change.scope_id,
        ids=row.ids, kind=row.kind, categories=row.categories, created_at=row.created_at, expires_on=row.expires_on,
        index_text=row.index_text, dense=row.vector,
    )  # fmt: skip
