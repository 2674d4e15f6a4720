"""Where a webhook may go: addresses by range, URLs by form."""

from __future__ import annotations

import pytest

from shared.webhooks.addresses import Allowed, allowed
from shared.webhooks.targets import Target, read_target

REFUSED = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.251", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::808:808", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:0:4136:e378::1", "2001:db8::1", "2002:7f00:1::",
    "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1",
    "2606:4700::1%eth0", "ff02::1", "ff0e::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e"]


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_public_is_refused(address: str) -> None:
    """Private, local, shared, documentation, multicast, reserved, and those that carry another address."""
    assert Allowed().refuses("example.org", address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_not(address: str) -> None:
    """The rest of the internet."""
    assert not Allowed().refuses("example.org", address)


def test_the_operator_allows_networks_and_names() -> None:
    """Exactly these, and no more."""
    chosen = allowed(" 10.1.0.0/16, 127.0.0.1,fd12::/64 ,Hooks.Internal. ")

    assert not chosen.refuses("x", "10.1.2.3")
    assert not chosen.refuses("x", "127.0.0.1")
    assert not chosen.refuses("x", "fd12::9")
    assert not chosen.refuses("hooks.internal", "192.168.1.1")
    assert not chosen.refuses("HOOKS.internal.", "192.168.1.1")
    for host, address in (
        ("x", "10.2.0.1"),
        ("x", "127.0.0.2"),
        ("x", "::ffff:10.1.2.3"),
        ("a.hooks.internal", "10.9.9.9"),
    ):
        assert chosen.refuses(host, address)
    assert allowed("") == Allowed()


@pytest.mark.parametrize("text", ["10.1.2.3/16", "10.0.0.0/33", "fd00::1/8", "300.1.1.1"])
def test_a_network_that_is_none_is_told(text: str) -> None:
    """At start, not at the first delivery."""
    with pytest.raises(ValueError, match=r"."):
        allowed(text)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.org", Target(True, "example.org", 443, "/")),
        ("https://Example.ORG:8443/a/b?c=d&e=%20", Target(True, "example.org", 8443, "/a/b?c=d&e=%20")),
        ("https://[2606:4700::1111]/x", Target(True, "2606:4700::1111", 443, "/x")),
        ("https://8.8.8.8/x", Target(True, "8.8.8.8", 443, "/x")),
        ("https://xn--bcher-kva.example./", Target(True, "xn--bcher-kva.example.", 443, "/")),
        ("http://example.org:80/", Target(False, "example.org", 80, "/")),
    ],
)
def test_a_url_is_read(url: str, target: Target) -> None:
    """Host in lower case, port filled in, path and query as given."""
    assert read_target(url, plain_http=True) == target


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "//example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/",
        "https://", "https:///x", "https://user@example.org/", "https://user:pw@example.org/",
        "https://example.org@127.0.0.1/", "https://127.0.0.1:80@example.org/", "https://example.org\\@127.0.0.1/",
        "https://example.org/#x", "https://example.org#@127.0.0.1/", "https://example.org/#",
        "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/",
        "https://127.0.0.1.0x1/", "https://1.2.3.4.5/", "https://256.1.1.1/", "https://0/", "https://٣.example.org/",
        "https://[::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[127.0.0.1]/", "https://[v1.x]/", "https://[::1/",
        "https://example.org:0/", "https://example.org:65536/", "https://example.org:x/", "https://exa mple.org/",
        "https://example.org/a b", "https://example.org/\r\nHost: x", "https://example.org/\t", "https://bücher.example/",
        "https://ex%61mple.org/", "https://example..org/", "https://-x.org/", "https://example.org/\x7f",
        "https://" + "a" * 64 + ".org/", "https://example.org/" + "a" * 2_048,
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_is_refused(url: str) -> None:
    """User names, fragments, numbers in odd forms, zones, white space, other schemes."""
    with pytest.raises(ValueError, match=r"."):
        read_target(url, plain_http=True)


def test_plain_http_is_the_operators_choice() -> None:
    """Refused unless allowed."""
    with pytest.raises(ValueError, match="https://"):
        read_target("http://example.org/", plain_http=False)


def test_the_host_header() -> None:
    """Brackets for IPv6, a port only where it is not the usual one."""
    assert read_target("https://[2606:4700::1]:444/", plain_http=False).authority == "[2606:4700::1]:444"
    assert read_target("https://example.org:443/", plain_http=False).authority == "example.org"
