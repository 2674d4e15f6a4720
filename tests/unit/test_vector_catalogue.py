"""The engine's catalogue: changes are all or nothing, on disk too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.vector_engine.catalogue import Catalogue, CatalogueFile, Entry, replace_file
from cli.vector_engine.errors import EngineError
from cli.vector_engine.schema import CollectionSchema

_SCHEMA = CollectionSchema({"dense": {"size": 4, "distance": "Cosine"}}, {"bm25": True}, {"epoch": "x"})
_TWO = Catalogue().with_collection("a", Entry("f1", _SCHEMA)).with_collection("b", Entry("f2", _SCHEMA))


def _create(alias: str, target: str) -> dict[str, Any]:
    return {"create_alias": {"alias_name": alias, "collection_name": target}}


def _actions(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"actions": list(actions)}


def test_swap_is_one_change() -> None:
    """Delete and create in one request move the alias."""
    before = _TWO.with_alias_actions(_actions(_create("now", "a")))
    after = before.with_alias_actions(_actions({"delete_alias": {"alias_name": "now"}}, _create("now", "b")))
    assert before.resolve("now") == "a"
    assert after.resolve("now") == "b"


def test_a_bad_action_undoes_the_good_ones_before_it() -> None:
    """Nothing changes unless all of it can."""
    before = _TWO.with_alias_actions(_actions(_create("now", "a")))
    with pytest.raises(EngineError) as caught:
        before.with_alias_actions(_actions({"delete_alias": {"alias_name": "now"}}, _create("now", "missing")))
    assert caught.value.status == 404
    assert before.aliases == {"now": "a"}


def test_rename() -> None:
    """The alias goes on under the new name; an unknown one is 404."""
    before = _TWO.with_alias_actions(_actions(_create("old", "a")))
    rename = {"rename_alias": {"old_alias_name": "old", "new_alias_name": "new"}}
    assert before.with_alias_actions(_actions(rename)).aliases == {"new": "a"}
    with pytest.raises(EngineError) as caught:
        _TWO.with_alias_actions(_actions(rename))
    assert caught.value.status == 404


def test_names_are_taken_once() -> None:
    """A collection and an alias never share a name."""
    aliased = _TWO.with_alias_actions(_actions(_create("now", "a")))
    with pytest.raises(EngineError, match="already exists"):
        _TWO.with_collection("a", Entry("f3", _SCHEMA))
    with pytest.raises(EngineError, match="same name"):
        aliased.with_collection("now", Entry("f3", _SCHEMA))
    with pytest.raises(EngineError, match="already exists"):
        _TWO.with_alias_actions(_actions(_create("b", "a")))


def test_dropping_a_collection_drops_its_aliases() -> None:
    """An alias never points at nothing."""
    aliased = _TWO.with_alias_actions(_actions(_create("x", "a"), _create("y", "b")))
    assert aliased.without_collection("a").aliases == {"y": "b"}


def test_file_round_trip(tmp_path: Path) -> None:
    """What is written is read back; no file is an empty catalogue."""
    file = CatalogueFile(tmp_path / "catalogue.json")
    assert file.read() == Catalogue()
    full = _TWO.with_alias_actions(_actions(_create("x", "a")))
    file.write(full)
    assert file.read() == full
    assert [path.name for path in tmp_path.iterdir()] == ["catalogue.json"]


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dying between writing and renaming keeps what was there."""
    target = tmp_path / "catalogue.json"
    replace_file(target, json.dumps({"old": 1}))

    def die(self: Path, _target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        replace_file(target, json.dumps({"new": 2}))
    assert json.loads(target.read_text()) == {"old": 1}
