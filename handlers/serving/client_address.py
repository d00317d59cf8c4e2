"""Which address a request comes from, when proxies are in between."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from broker.addresses import Address, Network, unwrapped


def client_address(scope: Mapping[str, Any], trusted_proxies: Sequence[Network]) -> str | None:
    """The address of the client of an ASGI `scope`, None over a unix socket without a usable X-Forwarded-For.

    The peer counts, unless it is a trusted proxy (or a unix socket, which only the machine's own proxy can open):
    then the last hop of X-Forwarded-For that is not one. Whatever stands left of that was written by the client
    and is not believed; an entry that is no address ends the search at the hop before it.
    """
    client = scope.get("client")
    found = _parse_hop(client[0]) if client else None
    if found is not None and not _is_trusted(found, trusted_proxies):
        return str(found)
    for text in reversed(list(_forwarded(scope["headers"]))):
        hop = _parse_hop(text)
        if hop is None:
            break
        found = hop
        if not _is_trusted(hop, trusted_proxies):
            break
    return None if found is None else str(found)


def is_proxy(trusted_proxies: Sequence[Network], client: str | None) -> bool:
    """Whether a peer speaks for others: a trusted proxy, or whoever opened a unix socket (None)."""
    peer = None if client is None else _parse_hop(client)
    return peer is None or _is_trusted(peer, trusted_proxies)


def _forwarded(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[str]:
    for name, value in headers:
        if name == b"x-forwarded-for":
            yield from value.decode("latin-1").split(",")


@lru_cache(maxsize=1_024)
def _parse_hop(text: str) -> Address | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return unwrapped(ip_address(text))
    except ValueError:
        return None


def _is_trusted(address: Address, trusted_proxies: Sequence[Network]) -> bool:
    return any(address in network for network in trusted_proxies)
