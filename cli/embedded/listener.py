"""The API's listening socket, held by the supervisor: callers queue in it while a killed API starts again."""

from __future__ import annotations

import errno
import socket

from cli.embedded.errors import EmbeddedError

_BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket on `host:port`; port 0 takes a free one. Raises EmbeddedError naming port and option."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror:
        raise EmbeddedError(
            f"{host!r} is no address of this machine; choose another with --host (FLUMES_HOST)"
        ) from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise EmbeddedError(_explain(error, host, port)) from None
    return listener


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken; choose another with --port (FLUMES_PORT)"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than this user has; choose another with --port (FLUMES_PORT)"
    return f"cannot listen on {host}:{port}: {error.strerror}; see --host (FLUMES_HOST) and --port (FLUMES_PORT)"
