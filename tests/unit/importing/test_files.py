"""Files become numbered lines, whatever they are packed in."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cli.embedded.errors import EmbeddedError
from cli.importing.files import identity, open_log


def items(path: Path) -> list[tuple[int, Any]]:
    """All items of a file, parsed."""
    with open_log(path) as log:
        return [(item.number, json.loads(item.raw)) for item in log.items()]


def made(folder: Path, name: str, content: bytes | str) -> Path:
    """A file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", b'{"a": 1}\n{"a": 2}\n'),
        ("a.jsonl", b'\xef\xbb\xbf{"a": 1}\r\n{"a": 2}'),
        ("a.json", b'[{"a": 1},\n {"a": 2}]'),
        ("a.json", b'\n  [ {"a": 1}, {"a": 2}]\n'),
        ("a.jsonl.gz", gzip.compress(b'{"a": 1}\n{"a": 2}\n')),
    ],
)
def test_lines_and_arrays(tmp_path: Path, name: str, content: bytes) -> None:
    """NDJSON and arrays give the same items."""
    assert items(made(tmp_path, name, content)) == [(1, {"a": 1}), (2, {"a": 2})]


def test_empty_lines_count(tmp_path: Path) -> None:
    """A number is the line of the file, so that an editor finds it."""
    assert items(made(tmp_path, "a.jsonl", '{"a": 1}\n\n  \n{"a": 2}\n')) == [(1, {"a": 1}), (4, {"a": 2})]


def test_one_document_over_several_lines(tmp_path: Path) -> None:
    """A conversation as somebody's editor saved it."""
    assert items(made(tmp_path, "a.json", json.dumps({"messages": [1, 2.5]}, indent=2))) == [
        (1, {"messages": [1, 2.5]})
    ]


def test_a_bad_line_is_an_item(tmp_path: Path) -> None:
    """The server says what is wrong with it; the next line goes on."""
    with open_log(made(tmp_path, "a.jsonl", '{"a": 1}\n{bad\n{"a": 2}\n')) as log:
        assert [item.raw for item in log.items()] == [b'{"a": 1}', b"{bad", b'{"a": 2}']


def test_a_broken_array_says_where(tmp_path: Path) -> None:
    """What came before is given out first."""
    with open_log(made(tmp_path, "a.json", '[{"a": 1}, {"a": ')) as log:
        found = log.items()
        assert next(found).number == 1
        with pytest.raises(EmbeddedError, match="broken after its element 1"):
            next(found)


def test_an_export_in_a_zip(tmp_path: Path) -> None:
    """The conversations are found among the other files."""
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("user.json", "{}")
        archive.writestr("data/conversations.json", '[{"mapping": {}}]')
    assert items(tmp_path / "export.zip") == [(1, {"mapping": {}})]


def test_a_zip_of_anything_is_refused(tmp_path: Path) -> None:
    """Nobody guesses which of them was meant."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.json", "[]")
        archive.writestr("b.json", "[]")
    with pytest.raises(EmbeddedError, match=r"2 files and no conversations\.json"):
        items(tmp_path / "x.zip")


def test_tables_are_grouped(tmp_path: Path) -> None:
    """Rows in a row of one user are one group, under the number of its first line; a field may span lines."""
    table = (
        "User_ID,Role,Content,Timestamp\n"
        'ann,user,"I like tea,\nand coffee",2024-01-02\n'
        "ann,assistant,Good,\n"
        ",,,\n"
        "bob,user,I live in Rome,2024-01-03\n"
    )
    assert items(made(tmp_path, "log.csv", table)) == [
        (2, {"messages": [{"role": "user", "content": "I like tea,\nand coffee", "timestamp": "2024-01-02"},
                          {"role": "assistant", "content": "Good"}], "user_id": "ann"}),
        (6, {"messages": [{"role": "user", "content": "I live in Rome", "timestamp": "2024-01-03"}],
             "user_id": "bob"}),
    ]  # fmt: skip


def test_a_table_without_texts_is_refused(tmp_path: Path) -> None:
    """Its header is told."""
    with pytest.raises(EmbeddedError, match="it says a, b"):
        items(made(tmp_path, "x.csv", "a,b\n1,2\n"))


def test_how_far_a_file_was_read(tmp_path: Path) -> None:
    """In bytes on the disk, also when it is packed, also at its end."""
    for name in ("a.csv", "b.csv.gz"):
        content = b"role,content\n" + b"user,I like tea\n" * 10_000
        path = made(tmp_path, name, gzip.compress(content) if name.endswith("gz") else content)
        with open_log(path) as log:
            list(log.items())
            assert log.read == log.size


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """One sentence."""
    with pytest.raises(EmbeddedError, match="No such file"):
        items(tmp_path / "nope.jsonl")


def test_the_name_follows_content_and_options(tmp_path: Path) -> None:
    """The same content goes on where it stopped; other content or other ids are another import."""
    path = made(tmp_path, "my log (1).jsonl", "{}")
    name = identity(path, {"user_id": "ann"})

    assert name == identity(made(tmp_path, "my log (1).jsonl", "{}"), {"user_id": "ann"})
    assert name.startswith("my-log--1-.jsonl-")
    assert name != identity(path, {"user_id": "bob"})
    assert name != identity(made(tmp_path, "my log (1).jsonl", "{} "), {"user_id": "ann"})
