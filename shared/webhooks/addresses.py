"""Which addresses a webhook may be sent to: public ones, and those the operator allows by name or network.

Addresses that carry another one (IPv4-mapped, NAT64, 6to4, Teredo) are refused as such: what they lead to is decided
elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
# Global unicast is 2000::/3; loopback, unique local, link-local, multicast, mapped and NAT64 addresses lie outside.
_V6_PUBLIC = IPv6Network("2000::/3")
_V6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator allows although it is not public. `hosts`: names in lower case."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    def refuses(self, host: str, address: str) -> bool:
        """Whether a webhook to `host` must not be sent to `address`, a numeric address it stands for."""
        if host.lower().rstrip(".") in self.hosts:
            return False
        found = ip_address(address)
        if any(found.version == network.version and found in network for network in self.networks):
            return False
        return not is_public(found)


def allowed(text: str) -> Allowed:
    """Read `10.1.0.0/16, fd00::/8, hooks.internal`. Raises `ValueError` for a network with host bits set."""
    networks, hosts = [], set()
    for word in (part.strip().lower() for part in text.split(",") if part.strip()):
        if word.replace(".", "").replace("/", "").isdigit() or ":" in word:
            networks.append(ip_network(word))
        else:
            hosts.add(word.rstrip("."))
    return Allowed(tuple(networks), frozenset(hosts))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether anybody on the internet may be meant by it."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _V4)
    plain = address.scope_id is None and address.is_global and address in _V6_PUBLIC
    return plain and not any(address in network for network in _V6)
