"""Which internet addresses are public (reliability.md section E, "SSRF").

The standard library calls addresses global that lead inward: multicast, the NAT64 and 6to4 forms of a private IPv4
address, retired site-local ones, and more, which also differ between Python versions. So IPv6 is judged by a list of
what is good, IPv4 by its own list of what is bad as well.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC: tuple[Network, ...] = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("198.18.0.0/15"),
    IPv4Network("224.0.0.0/3"),
    IPv6Network("2001::/23"),
    IPv6Network("2001:db8::/32"),
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv4-mapped IPv6 address stands for, any other address itself, without its zone."""
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))


def host_of(address: Address) -> str:
    """What limits per address count by: an IPv4 address, or the /64 of an IPv6 one, which one host commonly owns."""
    real = unwrapped(address)
    return str(real) if isinstance(real, IPv4Address) else str(IPv6Network((int(real) >> 64 << 64, 64)))


def is_public_address(address: Address) -> bool:
    """Whether `address` belongs to a single machine out on the internet."""
    real = unwrapped(address)
    if not real.is_global or any(real in network for network in _NOT_PUBLIC):
        return False
    return isinstance(real, IPv4Address) or (real in _GLOBAL_UNICAST and "%" not in str(address))


def may_reach(address: Address, allow: Sequence[Network]) -> bool:
    """Whether deliveries may go to `address`: it is public, or in a network that the configuration opened."""
    return is_public_address(address) or any(unwrapped(address) in network for network in allow)
