"""Who may connect: connections per process and per address, and new ones per second (reliability.md F).

The address is the peer's. IPv6 addresses are counted by their /64, as one host commonly owns all of it. A loopback
address is one like any other. A peer in `trusted_proxies` speaks for many clients, so it is exempt from the limit per
address, not from the others; clients behind it are told apart by `client_address` at request time. A unix socket has
no address and is exempt in the same way.
"""

from dataclasses import dataclass
from ipaddress import ip_address

from broker.addresses import host_of, unwrapped
from handlers.serving.limits import ServingLimits
from handlers.serving.refusals import Kind
from handlers.serving.token_bucket import TokenBucket

_LINGERING_MOST = 100
_RETRY_SPREAD_S = 5


@dataclass(frozen=True, slots=True)
class Denied:
    """A connection that is not let in: what to count and to answer."""

    kind: Kind
    status: int
    message: str


class Slot:
    """The place of one admitted connection; leave it once."""

    __slots__ = ("_address", "_admission")

    def __init__(self, admission: "Admission", address: str | None) -> None:
        self._admission = admission
        self._address = address

    def leave(self) -> None:
        """The connection is gone."""
        self._admission.leave(self._address)


class Admission:
    """Counts the connections of this process: those that are `open`, and all that were ever `admitted`."""

    def __init__(self, limits: ServingLimits, now_s: float) -> None:
        self._limits = limits
        self._arrivals = TokenBucket(limits.connections_per_s, limits.connection_burst, now_s)
        self._per_address: dict[str, int] = {}
        self._lingering = 0
        self.open = 0
        self.admitted = 0

    def enter(self, peer: str | None, now_s: float) -> Slot | Denied:
        """A slot for a new connection of `peer` (an IP address, None for a unix socket), or why there is none."""
        if not self._arrivals.take(now_s):
            return Denied(Kind.CONNECTION_RATE, 503, "Too many new connections")
        if self.open >= self._limits.connections:
            return Denied(Kind.CONNECTIONS_FULL, 503, "Too many connections")
        address = self._counted_address(peer)
        if address is not None:
            count = self._per_address.get(address, 0)
            if count >= self._limits.connections_per_address:
                return Denied(Kind.ADDRESS_FULL, 429, "Too many connections from this address")
            self._per_address[address] = count + 1
        self.open += 1
        self.admitted += 1
        return Slot(self, address)

    def leave(self, address: str | None) -> None:
        """Undo `enter`, with the address as it was counted; called by `Slot`."""
        self.open -= 1
        if address is None:
            return
        count = self._per_address[address] - 1
        if count:
            self._per_address[address] = count
        else:
            del self._per_address[address]

    def begin_lingering(self) -> bool:
        """Whether one more denied connection may be kept for its answer; when not, it is to be dropped at once."""
        if self._lingering >= _LINGERING_MOST:
            return False
        self._lingering += 1
        return True

    def end_lingering(self) -> None:
        """A denied connection is gone."""
        self._lingering -= 1

    def _counted_address(self, peer: str | None) -> str | None:
        if not peer:
            return None
        address = unwrapped(ip_address(peer))
        if any(address in network for network in self._limits.trusted_proxies):
            return None
        return host_of(address)


def retry_after_s(random_unit: float) -> int:
    """1 to 5 seconds from a random number in [0, 1), so that the refused do not come back together."""
    return 1 + int(random_unit * _RETRY_SPREAD_S)
