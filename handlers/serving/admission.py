"""Who may connect: connections per process and per address, and new ones per second (reliability.md F).

The address is the peer's; IPv6 addresses are counted by their /64. A loopback address is one like any other. A peer in
`trusted_proxies` speaks for many clients, so it is exempt from the limit per address, not from the others; clients
behind it are counted by their requests (`handlers.address_limit`). A unix socket has no address and is exempt as well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import ip_address

from broker.addresses import Address, host_of, unwrapped
from handlers.serving.limits import ServingLimits
from handlers.serving.refusals import Kind
from handlers.serving.token_bucket import TokenBucket

_LINGERING_MOST = 100
_RETRY_SPREAD_S = 5


class Slot:
    """The place of one connection; leave it once, when the connection is gone."""

    __slots__ = ("leave",)

    def __init__(self, leave: Callable[[], None]) -> None:
        self.leave = leave


@dataclass(frozen=True, slots=True)
class Denied:
    """A connection that is not let in: what to count and to answer.

    `slot` is its place while it reads the answer, None where too many do so already and it is to be dropped.
    """

    kind: Kind
    status: int
    message: str
    slot: Slot | None


class Admission:
    """Counts the connections of this process: `open` ones, `lingering` ones that are being denied, all `admitted`."""

    def __init__(self, limits: ServingLimits, now_s: float) -> None:
        self._limits = limits
        self._arrivals = TokenBucket(limits.connections_per_s, limits.connection_burst, now_s)
        self._per_address: dict[str, int] = {}
        self.open = 0
        self.lingering = 0
        self.admitted = 0

    @property
    def addresses(self) -> int:
        """How many addresses have connections open, of those that are counted."""
        return len(self._per_address)

    def enter(self, peer: str | None, now_s: float) -> Slot | Denied:
        """A slot for a new connection of `peer` (an IP address, None for a unix socket), or why there is none."""
        if not self._arrivals.take(now_s):
            return self._deny(Kind.CONNECTION_RATE, 503, "Too many new connections")
        if self.open >= self._limits.connections:
            return self._deny(Kind.CONNECTIONS_FULL, 503, "Too many connections")
        address = self._counted_address(peer)
        if address is not None:
            count = self._per_address.get(address, 0)
            if count >= self._limits.connections_per_address:
                return self._deny(Kind.ADDRESS_FULL, 429, "Too many connections from this address")
            self._per_address[address] = count + 1
        self.open += 1
        self.admitted += 1
        return Slot(partial(self._leave, address))

    def _leave(self, address: str | None) -> None:
        self.open -= 1
        if address is None:
            return
        count = self._per_address[address] - 1
        if count:
            self._per_address[address] = count
        else:
            del self._per_address[address]

    def _deny(self, kind: Kind, status: int, message: str) -> Denied:
        if self.lingering >= _LINGERING_MOST:
            return Denied(kind, status, message, None)
        self.lingering += 1
        return Denied(kind, status, message, Slot(self._end_lingering))

    def _end_lingering(self) -> None:
        self.lingering -= 1

    def _counted_address(self, peer: str | None) -> str | None:
        if not peer:
            return None
        address, host = _parse_peer(peer)
        if any(address in network for network in self._limits.trusted_proxies):
            return None
        return host


@lru_cache(maxsize=1_024)
def _parse_peer(peer: str) -> tuple[Address, str]:
    address = unwrapped(ip_address(peer))
    return address, host_of(address)


def retry_after_s(random_unit: float) -> int:
    """1 to 5 seconds from a random number in [0, 1), so that the refused do not come back together."""
    return 1 + int(random_unit * _RETRY_SPREAD_S)
