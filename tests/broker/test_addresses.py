"""Which addresses are public: the table of reliability.md section E."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.addresses import host_of, is_public_address, may_reach

INWARD = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
]
OUTWARD = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "192.167.1.1",
    "192.169.1.1",
    "223.255.255.254",
    "::ffff:8.8.8.8",
    "2606:4700:4700::1111",
    "2a00:1450:4001::200e",
    "2001:4860:4860::8888",
    "2001:200::1",
]


@pytest.mark.parametrize("text", INWARD)
def test_an_address_that_leads_inward_is_not_public(text: str) -> None:
    assert not is_public_address(ip_address(text))


@pytest.mark.parametrize("text", OUTWARD)
def test_an_address_of_the_internet_is_public(text: str) -> None:
    assert is_public_address(ip_address(text))


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_judged_as_what_it_maps(address: object) -> None:
    assert is_public_address(ip_address(f"::ffff:{address}")) is is_public_address(ip_address(str(address)))


def test_an_opened_network_is_reached_and_no_other() -> None:
    allow = [ip_network("127.0.0.0/8"), ip_network("fd00::/8")]

    assert all(may_reach(ip_address(text), allow) for text in ("127.0.0.1", "::ffff:127.0.0.1", "fd00::1", "8.8.8.8"))
    assert not any(may_reach(ip_address(text), allow) for text in ("10.0.0.1", "::1", "::ffff:10.0.0.1", "fe80::1"))


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_a_host_is_one_ipv4_address_or_an_ipv6_network(text: str, host: str) -> None:
    assert host_of(ip_address(text)) == host
