"""Which address a request comes from, when proxies are in between."""

from ipaddress import ip_network

import pytest

from handlers.serving.client_address import client_address

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def found(peer: str | None, *forwarded: str) -> str | None:
    headers = [(b"host", b"x"), *((b"x-forwarded-for", value.encode("latin-1")) for value in forwarded)]
    return client_address({"client": None if peer is None else (peer, 1), "headers": headers}, TRUSTED)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.9",), "192.0.2.1"),
        ("10.0.0.1", ("198.51.100.9",), "198.51.100.9"),
        ("::ffff:10.0.0.1", ("198.51.100.9",), "198.51.100.9"),
        ("fd00::1", ("2001:db8::5",), "2001:db8::5"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("203.0.113.66, 198.51.100.9",), "198.51.100.9"),
        ("10.0.0.1", ("203.0.113.66, 198.51.100.9, 10.2.2.2",), "198.51.100.9"),
        ("10.0.0.1", ("203.0.113.66", "198.51.100.9", "10.2.2.2"), "198.51.100.9"),
        ("10.0.0.1", ("10.3.3.3, 10.2.2.2",), "10.3.3.3"),
        ("10.0.0.1", ("198.51.100.9, garbage",), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.9, garbage, 10.2.2.2",), "10.2.2.2"),
        ("10.0.0.1", ("",), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.9:4711",), "198.51.100.9"),
        ("10.0.0.1", ("[2001:db8::5]:4711",), "2001:db8::5"),
        ("10.0.0.1", ("::ffff:198.51.100.9",), "198.51.100.9"),
        ("10.0.0.1", ("198.51.100.9\xff",), "10.0.0.1"),
        (None, ("198.51.100.9",), "198.51.100.9"),
        (None, (), None),
        (None, ("nobody",), None),
    ],
)
def test_only_what_trusted_proxies_wrote_is_believed(
    peer: str | None, forwarded: tuple[str, ...], address: str | None
) -> None:
    assert found(peer, *forwarded) == address
