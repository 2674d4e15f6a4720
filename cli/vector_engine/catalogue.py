"""Which collections and aliases there are: one small file, replaced as a whole; a crash leaves the old or the new."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.vector_engine.errors import EngineError, bad_request, no_collection
from cli.vector_engine.schema import CollectionSchema
from cli.vector_engine.strict import Fields


@dataclass(frozen=True, slots=True)
class Entry:
    """A collection: the folder that holds its points, and its settings."""

    folder: str
    schema: CollectionSchema


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Never changed in place: every change is a new value that is written before it is used."""

    collections: Mapping[str, Entry] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, name: str) -> str:
        """The collection behind a name or alias; 404 when there is none."""
        target = self.aliases.get(name, name)
        if target not in self.collections:
            raise no_collection(name)
        return target

    def with_collection(self, name: str, entry: Entry) -> Catalogue:
        """One more; 409 when the name is taken."""
        if name in self.collections:
            raise EngineError(409, f"Wrong input: Collection `{name}` already exists!")
        if name in self.aliases:
            raise bad_request(f"Can't create collection with name {name}. Alias with the same name already exists")
        return Catalogue({**self.collections, name: entry}, self.aliases)

    def without_collection(self, name: str) -> Catalogue:
        """One fewer, its aliases go with it."""
        collections = {key: entry for key, entry in self.collections.items() if key != name}
        return Catalogue(collections, {alias: to for alias, to in self.aliases.items() if to != name})

    def with_alias_actions(self, body: object) -> Catalogue:
        """All actions of `POST /collections/aliases` together, or none."""
        fields = Fields(body, "aliases")
        actions = fields.array("actions") or []
        fields.done()
        aliases = dict(self.aliases)
        for action in actions:
            self._apply(Fields(action, "aliases.action"), aliases)
        return Catalogue(self.collections, aliases)

    def _apply(self, action: Fields, aliases: dict[str, str]) -> None:
        if "create_alias" in action:
            create = Fields(action.take("create_alias"), "create_alias")
            alias, target = str(create.need("alias_name")), str(create.need("collection_name"))
            create.done()
            self._check_new(alias, target)
            aliases[alias] = target
        elif "delete_alias" in action:
            delete = Fields(action.take("delete_alias"), "delete_alias")
            aliases.pop(str(delete.need("alias_name")), None)
            delete.done()
        elif "rename_alias" in action:
            rename = Fields(action.take("rename_alias"), "rename_alias")
            old, new = str(rename.need("old_alias_name")), str(rename.need("new_alias_name"))
            rename.done()
            if old not in aliases:
                raise EngineError(404, f"Not found: Alias {old} does not exists!")
            self._check_new(new, aliases[old])
            aliases[new] = aliases.pop(old)
        action.done()

    def _check_new(self, alias: str, target: str) -> None:
        if target not in self.collections:
            raise no_collection(target)
        if alias in self.collections:
            raise EngineError(409, f"Wrong input: Collection `{alias}` already exists!")


class CatalogueFile:
    """Reads and replaces the catalogue on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Catalogue:
        """What was written last; nothing yet = empty."""
        if not self._path.exists():
            return Catalogue()
        data = json.loads(self._path.read_text(encoding="utf-8"))
        collections = {
            name: Entry(entry["folder"], CollectionSchema(**entry["schema"]))
            for name, entry in data["collections"].items()
        }
        return Catalogue(collections, data["aliases"])

    def write(self, catalogue: Catalogue) -> None:
        """Durable and atomic: written beside, synced, renamed over."""
        collections = {
            name: {"folder": entry.folder, "schema": entry.schema.as_json()}
            for name, entry in catalogue.collections.items()
        }
        data: dict[str, Any] = {"collections": collections, "aliases": dict(catalogue.aliases)}
        replace_file(self._path, json.dumps(data, indent=1, sort_keys=True))


def replace_file(path: Path, text: str) -> None:
    """Puts the text where the path points in one step that survives a power cut."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
