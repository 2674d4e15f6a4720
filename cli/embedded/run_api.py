"""What the API child runs: uvicorn on the listening socket it was handed (`python -m cli.embedded.run_api FD`)."""

from __future__ import annotations

import socket
import sys

import uvicorn

_DRAIN = 10  # seconds SIGTERM leaves open requests; waiting callers are answered at once


def main(descriptor: int) -> None:
    """Serve until SIGTERM."""
    config = uvicorn.Config(
        "api.app:create_app",
        factory=True,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=_DRAIN,
        server_header=False,
        proxy_headers=False,  # whom to believe is a setting of ours
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main(int(sys.argv[1]))
