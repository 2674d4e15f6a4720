"""The data directory: one engine shard a collection, the catalogue, and the lock that keeps a second process out.

Crash order: a shard is created before the catalogue names it and leaves the catalogue before its folder goes, so a
folder that the catalogue does not name is left over from a crash and is removed at the next start.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import qdrant_edge as edge

from cli.vector_engine.catalogue import Catalogue, CatalogueFile, Entry
from cli.vector_engine.errors import EngineError, from_shard
from cli.vector_engine.schema import CollectionSchema

log = logging.getLogger("flumes.vector_engine")
Result = TypeVar("Result")

OPTIMIZE_BELOW = 5_000  # points; larger shards would hold up the start


class DataDirBusy(Exception):
    """Another process serves this data directory."""


class DataDirBroken(Exception):
    """A collection cannot be opened."""


class Collection:
    """An open shard and what it was created with. Reads run side by side, writes one after the other."""

    def __init__(self, name: str, schema: CollectionSchema, shard: edge.EdgeShard) -> None:
        self.name = name
        self.schema = schema
        self._shard = shard
        self._writing = threading.Lock()
        self._unflushed = False

    def read(self, call: Callable[[edge.EdgeShard], Result]) -> Result:
        """Runs a read; the library's errors come out as `EngineError`."""
        try:
            return call(self._shard)
        except EngineError:
            raise
        except Exception as error:
            raise from_shard(error, self.name) from error

    def write(self, operations: Iterable[edge.UpdateOperation]) -> None:
        """Applies updates in order; when it returns they are in the write-ahead log and visible."""
        with self._writing:
            self._unflushed = True
            for operation in operations:
                self.read(lambda shard, operation=operation: shard.update(operation))  # type: ignore[misc]

    def flush(self) -> None:
        """Moves what the log holds into the segments and syncs; costs about 20 ms in which nothing else runs."""
        with self._writing:
            if self._unflushed:
                self.read(lambda shard: shard.flush())
                self._unflushed = False

    def close(self) -> None:
        """Waits for running calls; later ones get 404."""
        with self._writing:
            self._shard.close()


class Store:
    """All collections of one data directory. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock_file = _lock(folder)
        self._shards = folder / "shards"
        self._shards.mkdir(exist_ok=True)
        self._file = CatalogueFile(folder / "catalogue.json")
        self._changing = threading.Lock()
        self._catalogue = self._file.read()
        self._remove_leftovers()
        self._open = {name: self._load(name, entry) for name, entry in self._catalogue.collections.items()}

    @property
    def catalogue(self) -> Catalogue:
        """The names as they are now."""
        return self._catalogue

    def collection(self, name: str) -> Collection:
        """By name or alias; 404 when there is none."""
        target = self._catalogue.resolve(name)
        try:
            return self._open[target]
        except KeyError:  # dropped between the two lines
            raise EngineError(404, f"Not found: Collection `{name}` doesn't exist!") from None

    def create(self, name: str, schema: CollectionSchema) -> None:
        """Shard first, then the catalogue; 409 when the name is taken."""
        with self._changing:
            entry = Entry(uuid4().hex, schema)
            changed = self._catalogue.with_collection(name, entry)
            path = self._shards / entry.folder
            shard = edge.EdgeShard.create(str(path), schema.edge_config())
            shard.flush()
            self._file.write(changed)
            self._open[name] = Collection(name, schema, shard)
            self._catalogue = changed

    def drop(self, name: str) -> bool:
        """Catalogue first, then the shard; False when there was none of that name."""
        with self._changing:
            entry = self._catalogue.collections.get(name)
            if entry is None:
                return False
            changed = self._catalogue.without_collection(name)
            self._file.write(changed)
            self._catalogue = changed
            self._open.pop(name).close()
            shutil.rmtree(self._shards / entry.folder)
            return True

    def change_aliases(self, body: object) -> None:
        """All actions at once: readers see the names before or after, nothing between."""
        with self._changing:
            changed = self._catalogue.with_alias_actions(body)
            self._file.write(changed)
            self._catalogue = changed

    def flush(self) -> None:
        """Every collection with unflushed writes."""
        for collection in list(self._open.values()):
            try:
                collection.flush()
            except EngineError as error:
                if error.status != 404:
                    raise

    def close(self) -> None:
        """Flushes and closes everything, then lets another process in."""
        with self._changing:
            self.flush()
            for collection in self._open.values():
                collection.close()
            self._open.clear()
            os.close(self._lock_file)

    def _load(self, name: str, entry: Entry) -> Collection:
        path = self._shards / entry.folder
        try:
            shard = edge.EdgeShard.load(str(path))
            if shard.count(edge.CountRequest(True)) < OPTIMIZE_BELOW:
                shard.optimize()
        except Exception as error:
            raise DataDirBroken(
                f"cannot open collection {name} in {path}: {error}. The index can be made again from Postgres: "
                f"remove {self._shards.parent} and run `flumes rebuild`."
            ) from error
        return Collection(name, entry.schema, shard)

    def _remove_leftovers(self) -> None:
        named = {entry.folder for entry in self._catalogue.collections.values()}
        for path in self._shards.iterdir():
            if path.name not in named:
                log.info("removing %s, left over from an interrupted create or drop", path)
                shutil.rmtree(path)


def _lock(folder: Path) -> int:
    """An open, locked file; the kernel frees it however the process ends."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise DataDirBusy(f"another vector engine serves {folder}") from None
    return handle
