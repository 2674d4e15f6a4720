"""Is a local HTTP part ready?"""

from __future__ import annotations

import http.client


def answers_ok(host: str, port: int, path: str, timeout: float = 2.0) -> bool:
    """Whether `GET path` answers 200. Never through a proxy."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
