"""The address of a webhook, read once and strictly: what is checked is what is sent to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

LONGEST = 2_048
_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.?"
)
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_PLAIN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Target:
    """`host`: a name in lower case or a numeric address without brackets. `path`: with the query, never empty."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """For the Host header."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.secure else 80) else f"{name}:{self.port}"


def read_target(url: str, *, plain_http: bool) -> Target:
    """The parts of a webhook's URL. Raises `ValueError` with a sentence for whoever gave it."""
    if len(url) > LONGEST or not _PLAIN.fullmatch(url) or any(sign in url for sign in '\\"<>^`{|}'):
        raise ValueError(f"must be at most {LONGEST} printable ASCII characters, with anything else percent-encoded")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in (("https", "http") if plain_http else ("https",)):
        raise ValueError("must begin with https://")
    if "@" in parts.netloc or parts.fragment or url.endswith("#"):
        raise ValueError("must not hold a user name, a password or a fragment")
    if port == 0:
        raise ValueError("has a port that cannot be")
    host = _host(parts.hostname or "", bracketed="[" in parts.netloc)
    secure = parts.scheme == "https"
    path = parts.path or "/"
    return Target(secure, host, port or (443 if secure else 80), f"{path}?{parts.query}" if parts.query else path)


def _host(text: str, *, bracketed: bool) -> str:
    """Names and numeric addresses in their usual form only: `0x7f.1` and `2130706433` are read differently by many."""
    if bracketed:
        if "%" in text or not isinstance(ip_address(text), IPv6Address):
            raise ValueError("must name its host by a name or a plain address")
        return text
    if not _NAME.fullmatch(text):
        raise ValueError("must name its host by a name or a plain address")
    if _NUMBER.fullmatch(text.rstrip(".").rpartition(".")[2]):
        try:
            return str(ip_address(text))
        except ValueError:
            raise ValueError("writes an address in a form that is read in several ways") from None
    return text
