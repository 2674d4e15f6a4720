"""`flumes verify` and `flumes rebuild` on a data directory, running or not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.embedded.temporary import TemporaryDataDir
from tests.stack import wait_until
from tests.up import Up, run_flumes

TEXTS = ("I keep bees", "I paint boats", "I collect stamps")


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    """A service that holds three memories, all of them searchable."""
    with TemporaryDataDir("maintain") as home:
        running = Up(Path(home.layout.data_dir / "data"))
        try:
            running.start()
            for text in TEXTS:
                body = {"messages": [{"role": "user", "content": text}], "user_id": "ann", "infer": False}
                assert running.call("POST", "/v1/memories/", json=body).status_code == 200
            wait_until(lambda: all(found(running, text.split()[-1]) for text in TEXTS), "all are in the index")
            yield running
        finally:
            running.close()


def found(up: Up, word: str) -> list[str]:
    """What a search for one word finds."""
    results = up.call("GET", "/v1/memories/", params={"user_id": "ann", "query": word}).json()["results"]
    return [result["memory"] for result in results]


def flumes(up: Up, *words: str) -> tuple[int, str]:
    """A command on the data directory."""
    return run_flumes(*words, "--data-dir", str(up.data_dir), folder=up.data_dir.parent)


def test_verify_agrees_on_a_healthy_index(up: Up) -> None:
    """While the service runs."""
    code, text = flumes(up, "verify")
    assert code == 0, text
    assert "3 memories, 3 points" in text
    assert "agrees with Postgres" in text


def test_rebuild_keeps_everything_searchable(up: Up) -> None:
    """The new collection holds what the old one held."""
    code, text = flumes(up, "rebuild")
    assert code == 0, text
    assert found(up, "bees") == ["I keep bees"]
    assert flumes(up, "verify")[0] == 0


def test_lost_index_is_found_out_and_repaired_while_the_service_is_down(up: Up) -> None:
    """Postgres is the truth: the folder of the vector engine may be deleted."""
    assert up.stop() == 0
    shutil.rmtree(up.data_dir / "vectors")
    code, text = flumes(up, "verify")
    assert code == 1, text
    assert "missing: 3" in text
    code, text = flumes(up, "verify", "--repair")
    assert code == 0, text
    up.start()
    assert [found(up, text.split()[-1]) for text in TEXTS] == [[text] for text in TEXTS]


def test_verify_without_a_data_directory_is_refused(tmp_path: Path) -> None:
    """Nothing is made by accident."""
    code, text = run_flumes("verify", "--data-dir", str(tmp_path / "none"), folder=tmp_path)
    assert code == 1
    assert "nothing in" in text
