"""Lines of an import's body, as they come in: cut at line ends, unpacked, checked one by one, in bounded memory."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from api.auth import Caller
from api.body import refuse_nul
from api.dialects.flumes_v1 import parse_add
from shared.db.accept import NewEvent
from shared.db.import_lines import Staged
from shared.db.import_prepared import pack
from shared.errors import BadRequest, ServiceError
from shared.importing.errors import BadLine
from shared.importing.groups import Format, groups
from shared.model.scope import ID_FIELDS
from shared.settings import Settings

_PAGE_LINES = 100
_PAGE_BYTES = 1_000_000
_STEP = 64_000  # bytes unpacked at a time: a small body may unpack to a very large one


@dataclass(frozen=True, slots=True)
class Line:
    """One line as sent, without its end; `too_long`: only its beginning was kept."""

    number: int
    raw: bytes
    too_long: bool = False


async def lines(chunks: AsyncIterator[bytes], *, gzip: bool, first: int, longest: int) -> AsyncIterator[Line]:
    """The lines of a body, numbered from `first`; empty ones are counted and left out.

    Raises `BadRequest` for a body that says gzip and is none, or ends in the middle of one.
    """
    number, rest, overlong = first, b"", False
    async for chunk in _unpacked(chunks) if gzip else chunks:
        rest += chunk
        while (end := rest.find(b"\n")) >= 0:
            line, rest = rest[:end], rest[end + 1 :]
            if line.strip() or overlong:
                yield Line(number, line.strip(), overlong or len(line) > longest)
            number, overlong = number + 1, False
        if len(rest) > longest:
            rest, overlong = b"", True
    if rest.strip() or overlong:
        yield Line(number, rest.strip(), overlong)


async def _unpacked(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        async for chunk in chunks:
            piece = chunk
            while piece:
                yield unpacker.decompress(piece, _STEP)
                piece = unpacker.unconsumed_tail
                if unpacker.eof and unpacker.unused_data:
                    piece, unpacker = unpacker.unused_data, zlib.decompressobj(wbits=31)
        yield unpacker.flush()
    except zlib.error:
        raise BadRequest("the body is not gzip, as its Content-Encoding says", field="body") from None
    if not unpacker.eof:
        raise BadRequest("the body ends in the middle of its gzip stream; what came before is kept", field="body")


async def pages(found: AsyncIterator[Line]) -> AsyncIterator[list[Line]]:
    """Lines that are kept in one transaction."""
    page: list[Line] = []
    size = 0
    async for line in found:
        page.append(line)
        size += len(line.raw)
        if len(page) >= _PAGE_LINES or size >= _PAGE_BYTES:
            yield page
            page, size = [], 0
    if page:
        yield page


@dataclass(frozen=True, slots=True)
class Reader:
    """What holds for every line of a request. `defaults`: fields of a body that lines may leave out."""

    caller: Caller
    settings: Settings
    form: Format
    defaults: dict[str, Any]
    name: str

    def staged(self, line: Line) -> list[Staged]:
        """The groups of a line, or the one row that says why it was rejected."""
        digest = hashlib.blake2b(line.raw, digest_size=16).digest()
        try:
            events = self._events(line)
        except (BadLine, ServiceError) as error:
            return [Staged(line.number, 0, digest, error=str(error)[:500])]
        return [
            Staged(
                line.number, part, digest, event.ids,
                min((m.said_at for m in event.messages if m.said_at), default=None), len(event.messages), pack(event),
            )
            for part, event in enumerate(events)
        ] or [Staged(line.number, 0, digest)]  # fmt: skip

    def _events(self, line: Line) -> list[NewEvent]:
        if line.too_long:
            raise BadLine(f"the line is longer than {self.settings.import_line_bytes} bytes")
        try:
            value = orjson.loads(line.raw)
        except orjson.JSONDecodeError as error:
            raise BadLine(f"not JSON: {error}") from None
        if b"\\u0000" in line.raw:
            refuse_nul(value, "line")
        return [self._event(body) for body in groups(value, self.form, self.settings.max_messages)]

    def _event(self, body: dict[str, Any]) -> NewEvent:
        """A log without any id of its own keeps its conversations apart by the log's names for them."""
        conversation = body.pop("conversation", None)
        full = {**self.defaults, **body}
        if not any(full.get(name) for name in ID_FIELDS) and conversation:
            full["run_id"] = conversation
        event = parse_add(full, self.caller, self.settings, dialect="import").event
        more = {"conversation": conversation} if conversation else {}
        return replace(event, origin={**event.origin, "import": self.name, **more})
