"""Who keeps knocking with keys nobody knows: past a limit the answer is 429, and good keys never wait for it.

Counted in this process, by address and by the key's public id, in buckets that fill again by themselves.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_REMEMBERED = 20_000  # buckets; the longest unused go first
_LOCAL = "local"  # a Unix socket has no address

Network = IPv4Network | IPv6Network


def networks(text: str) -> tuple[Network, ...]:
    """Comma-separated addresses and networks. Raises `ValueError`."""
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


@dataclass(slots=True)
class _Bucket:
    """`left` knocks before the limit, as of the moment `at`."""

    left: float
    at: float


class Strangers:
    """`limit`: bad keys a minute, for each address and for each public id; 0 = no limit."""

    def __init__(self, limit: int, trusted: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._trusted = networks(trusted)
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def address(self, peer: str | None, headers: Mapping[str, str]) -> str:
        """Where a request comes from: the peer, or whom a trusted proxy names, read from the right.

        What is left of the first untrusted address may be made up and is not looked at. Of IPv6 the /64 counts.
        """
        found = _parsed(peer)
        if found is None:
            return _LOCAL
        for hop in reversed(headers.get("x-forwarded-for", "").split(",")):
            if not any(found in network for network in self._trusted):
                break
            found = _parsed(hop.strip()) or found
        return str(found) if found.version == 4 else str(ip_network((int(found), 64), strict=False))

    def knocked(self, address: str, public_id: str | None) -> float:
        """One more bad key; seconds to stay away when that was one too many, else 0."""
        names = [f"address {address}", *([f"key {public_id}"] if public_id else [])]
        return max((self._take(name) for name in names), default=0.0) if self._limit else 0.0

    def is_past(self, address: str) -> bool:
        """Whether this address used up its limit."""
        bucket = self._buckets.get(f"address {address}")
        return bucket is not None and self._now_left(bucket) < 1

    def _now_left(self, bucket: _Bucket) -> float:
        return min(float(self._limit), bucket.left + (self._clock() - bucket.at) * self._limit / 60)

    def _take(self, name: str) -> float:
        bucket = self._buckets.pop(name, None) or _Bucket(float(self._limit), self._clock())
        left = self._now_left(bucket)
        bucket.at, bucket.left = self._clock(), left - 1 if left >= 1 else left
        self._buckets[name] = bucket
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if left >= 1 else (1 - left) * 60 / self._limit


def _parsed(text: str | None) -> IPv4Address | IPv6Address | None:
    """An address, an IPv4 one also in its IPv6 dress; None for what is none."""
    try:
        found = ip_address(text or "")
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
