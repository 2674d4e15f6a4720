"""One attempt against receivers that misbehave: what was checked is what is connected to, and everything ends."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shared.webhooks.addresses import allowed
from shared.webhooks.sending import Answer, Sender
from shared.webhooks.targets import Target, read_target

HERE = allowed("127.0.0.1")
CERTIFICATE = Path(__file__).parents[1] / "data" / "webhook-receiver.pem"  # for hooks.example.test, valid to 2126
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Resolver:
    """Answers in turn; the last answer stays. Counts how often it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@asynccontextmanager
async def receiver(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a free port of this machine."""

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def read_request(reader: asyncio.StreamReader) -> tuple[list[str], bytes]:
    """Head lines and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    length = next(int(line.split(":")[1]) for line in head if line.lower().startswith("content-length"))
    return head, await reader.readexactly(length)


def saying(raw: bytes, seen: list[tuple[list[str], bytes]] | None = None) -> Serve:
    """A receiver that reads the request and says this."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        if seen is not None:
            seen.append(request)
        writer.write(raw)
        await writer.drain()

    return serve


def plain(port: int, host: str = "hooks.example.test") -> Target:
    return read_target(f"http://{host}:{port}/in?a=b", plain_http=True)


def sent(serve: Serve, *, resolve: Resolver | None = None, timeout: float = 30) -> Answer:
    """What becomes of one attempt."""

    async def run() -> Answer:
        async with receiver(serve) as port:
            sender = Sender(HERE, timeout=timeout, resolve=resolve or Resolver(["127.0.0.1"]))
            return await sender.post(plain(port), {"webhook-id": "msg_1"}, b'{"a":1}')

    return asyncio.run(run())


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_the_request_as_it_arrives() -> None:
    """Path and query, Host with its port, our headers, the body."""
    seen: list[tuple[list[str], bytes]] = []

    assert sent(saying(OK, seen)) == Answer(200)
    ((head, body),) = seen
    assert head[0] == "POST /in?a=b HTTP/1.1"
    assert any(line.startswith("Host: hooks.example.test:") for line in head)
    assert {"webhook-id: msg_1", "Content-Type: application/json"} <= set(head)
    assert body == b'{"a":1}'


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"])
def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """It would resolve the name by itself."""
    monkeypatch.setenv(variable, "http://127.0.0.1:1")

    assert sent(saying(OK)).accepted


def test_a_redirect_is_a_refusal() -> None:
    """To wherever; nothing else is asked."""
    seen: list[tuple[list[str], bytes]] = []
    answer = sent(saying(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", seen))

    assert (answer.status, answer.accepted, len(seen)) == (302, False, 1)


def test_the_name_is_asked_once_and_the_answer_is_what_counts() -> None:
    """Public at the first question, private at the next: each attempt asks once and checks that answer."""
    resolve = Resolver(["127.0.0.1"], ["169.254.169.254"], ["127.0.0.1", "10.0.0.1"])
    seen: list[tuple[list[str], bytes]] = []

    async def run() -> list[Answer]:
        async with receiver(saying(OK, seen)) as port:
            sender = Sender(HERE, timeout=30, resolve=resolve)
            return [await sender.post(plain(port), {}, b"{}") for _ in range(3)]

    answers = asyncio.run(run())

    assert [answer.error for answer in answers] == [None, "address_refused", "address_refused"]
    assert (resolve.asked, len(seen)) == (3, 1)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_is_refused_by_the_systems_own_resolver(host: str) -> None:
    """By name and by number, as long as nobody allows it."""
    target = read_target(f"http://{host}:9/", plain_http=True)

    assert asyncio.run(Sender(allowed(""), timeout=30).post(target, {}, b"{}")).error == "address_refused"


def test_numbers_in_odd_forms_are_refused_where_they_are_resolved_too() -> None:
    """Should one ever come past the reading of the URL."""
    for host in ("2130706433", "0x7f.1", "0177.0.0.1"):
        answer = asyncio.run(Sender(allowed(""), timeout=30).post(Target(False, host, 9, "/"), {}, b"{}"))
        assert answer.error in ("address_refused", "name_not_resolved")


def test_a_name_without_an_address() -> None:
    """Is told as such."""
    assert sent(saying(OK), resolve=Resolver([])).error == "name_not_resolved"


def test_nobody_listens() -> None:
    """Every address is tried."""
    answer = asyncio.run(Sender(HERE, timeout=30, resolve=Resolver(["127.0.0.1"])).post(plain(1), {}, b"{}"))

    assert answer == Answer(None, "connection_failed")


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _drip_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def _interim(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    while True:
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)
        await writer.drain()


async def _endless_header(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


@pytest.mark.parametrize("serve", [_silent, _drip_head])
def test_who_takes_too_long_is_left(serve: Serve) -> None:
    """Whether it says nothing or a little at a time."""
    assert sent(serve, timeout=0.3) == Answer(None, "timeout")


def test_a_giant_answer_is_not_read() -> None:
    """The status is known; the connection is closed after a little of the body."""
    assert sent(_for_ever) == Answer(200)


async def _drip_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 9999\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


def test_a_body_that_drips_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was answered stands."""
    monkeypatch.setattr("shared.webhooks.sending._LINGER", 0.2)

    assert sent(_drip_body) == Answer(202)


@pytest.mark.parametrize("serve", [_interim, _endless_header, saying(b"SSH-2.0-OpenSSH_9\r\n"), saying(b"")])
def test_what_is_no_answer(serve: Serve) -> None:
    """Heads without an end, another protocol, nothing."""
    assert sent(serve).error in ("bad_answer", "connection_lost")


def test_retry_after_is_read_in_seconds() -> None:
    """A date, or what is no number, is not."""
    for value, read in ((b"120", 120.0), (b"Fri, 31 Dec 1999 23:59:59 GMT", None), (b"-1", None), (b"9" * 40, None)):
        raw = b"HTTP/1.1 503 x\r\nRetry-After: " + value + b"\r\nContent-Length: 0\r\n\r\n"
        assert sent(saying(raw)) == Answer(503, None, read)


def _tls(names: list[str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.sni_callback = lambda _, name, __: names.append(str(name))
    return context


def _over_tls(host: str, trust: ssl.SSLContext | None) -> tuple[Answer, list[str]]:
    names: list[str] = []

    async def run() -> Answer:
        async with receiver(saying(OK), _tls(names)) as port:
            sender = Sender(HERE, timeout=30, resolve=Resolver(["127.0.0.1"]), trust=trust)
            return await sender.post(read_target(f"https://{host}:{port}/", plain_http=False), {}, b"{}")

    return asyncio.run(run()), names


def test_the_certificate_is_checked_against_the_name() -> None:
    """The connection goes to the checked address, the name is the URL's."""
    trust = ssl.create_default_context(cafile=str(CERTIFICATE))

    assert _over_tls("hooks.example.test", trust) == (Answer(200), ["hooks.example.test"])
    assert _over_tls("other.example.test", trust)[0] == Answer(None, "tls_failed")
    assert _over_tls("hooks.example.test", None)[0] == Answer(None, "tls_failed")
