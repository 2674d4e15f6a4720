"""Files as lines of JSON: NDJSON as it is, the elements of a JSON array, groups of CSV rows; packed files unpacked.

Read as a stream: a file may be far larger than the memory.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol, cast

import ijson
import orjson

from cli.embedded.errors import EmbeddedError
from cli.importing.rows import grouped

_CHATGPT = "conversations.json"
_TABLES = {".csv": ",", ".tsv": "\t"}
_PEEK = 64_000


@dataclass(frozen=True, slots=True)
class Item:
    """What one line of the import holds. `number`: the line of the file, or the place in its array, from 1."""

    number: int
    raw: bytes


class Counted(Protocol):
    """An open file and how far it was read, in bytes as they lie on the disk."""

    @property
    def read(self) -> int: ...
    @property
    def size(self) -> int: ...
    def items(self) -> Iterator[Item]: ...


class LogFile:
    """One file of logs. Raises EmbeddedError for a file that cannot be read as any of the formats."""

    def __init__(self, path: Path, file: IO[bytes], content: IO[bytes], size: int) -> None:
        self.path = path
        self.size = size
        self._file = file
        self._content = io.BufferedReader(cast("io.RawIOBase", content), _PEEK * 2)

    @property
    def read(self) -> int:
        return self._file.tell()

    def items(self) -> Iterator[Item]:
        """The items in order. Raises EmbeddedError naming the place where the file stops making sense."""
        names = [suffix.lower() for suffix in self.path.suffixes]
        table = next((_TABLES[name] for name in names if name in _TABLES), None)
        if table:
            yield from self._rows(table)
        elif self._first() == b"[":
            yield from self._elements("item")
        elif self._is_one_document():
            yield from self._elements("")
        else:
            yield from self._lines()

    def _first(self) -> bytes:
        ahead = self._content.peek(_PEEK)
        if ahead.startswith(b"\xef\xbb\xbf"):
            self._content.read(3)
            ahead = self._content.peek(_PEEK)
        return ahead.lstrip()[:1]

    def _is_one_document(self) -> bool:
        """One JSON object over several lines."""
        line, end, _ = self._content.peek(_PEEK).lstrip().partition(b"\n")
        if not line.startswith(b"{") or not end:
            return False
        try:
            orjson.loads(line)
        except orjson.JSONDecodeError:
            return line.strip() == b"{" or not line.rstrip().endswith(b"}")
        return False

    def _lines(self) -> Iterator[Item]:
        for number, line in enumerate(self._content, start=1):
            if line.strip():
                yield Item(number, line.strip())

    def _elements(self, prefix: str) -> Iterator[Item]:
        number = 0
        try:
            for number, value in enumerate(ijson.items(self._content, prefix, use_float=True), start=1):
                yield Item(number, orjson.dumps(value))
        except (ijson.JSONError, orjson.JSONEncodeError, UnicodeDecodeError) as error:
            raise EmbeddedError(f"{self.path} is broken after its element {number}: {error}") from None

    def _rows(self, delimiter: str) -> Iterator[Item]:
        text = io.TextIOWrapper(self._content, encoding="utf-8-sig", newline="", errors="replace")
        for number, body in grouped(text, delimiter):
            yield Item(number, orjson.dumps(body))
        text.detach()  # else it closes the file, of which the caller still asks how far it is


@contextmanager
def open_log(path: Path) -> Iterator[LogFile]:
    """The file, unpacked if it is packed. Raises EmbeddedError when it is not there or holds no log."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(0)
            if start[:2] == b"\x1f\x8b":
                with gzip.open(file) as content:
                    yield LogFile(path, file, cast("IO[bytes]", content), size)
            elif start == b"PK\x03\x04":
                with zipfile.ZipFile(file) as archive, archive.open(_member(archive, path)) as content:
                    yield LogFile(path, file, content, size)
            else:
                yield LogFile(path, file, file, size)
    except (OSError, zipfile.BadZipFile, EOFError) as error:
        raise EmbeddedError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def _member(archive: zipfile.ZipFile, path: Path) -> str:
    """A ChatGPT export's conversations; else the only file in the archive."""
    names = [name for name in archive.namelist() if not name.endswith("/")]
    wanted = [name for name in names if name.rsplit("/", 1)[-1] == _CHATGPT]
    if len(wanted or names) != 1:
        raise EmbeddedError(f"{path} holds {len(names)} files and no {_CHATGPT}: unpack it and name the one to import")
    return (wanted or names)[0]


def identity(path: Path, options: dict[str, Any]) -> str:
    """The name of the import of this file with these options: the same content goes on where it stopped."""
    digest = hashlib.sha256(orjson.dumps(options, option=orjson.OPT_SORT_KEYS))
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise EmbeddedError(f"{path}: {error.strerror}") from None
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in path.name).strip("-._") or "log"
    return f"{plain[:80]}-{digest.hexdigest()[:16]}"
