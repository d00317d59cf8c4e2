"""How many calls may be under way: in all, and to one host. Exact, as a seat is taken before a call is begun."""

from collections import Counter

from broker.errors import Unavailable


class Seats:
    """The seats of one process."""

    def __init__(self, in_flight: int, per_host: int) -> None:
        self._in_flight = in_flight
        self._per_host = per_host
        self._taken: Counter[str] = Counter()

    def take(self, host: str) -> None:
        """Take a seat for a call to this host; raises `Unavailable` where there is none."""
        if self._taken.total() >= self._in_flight or self._taken[host] >= self._per_host:
            raise Unavailable("as many calls are under way as may be", retry_after_s=1)
        self._taken[host] += 1

    def leave(self, host: str) -> None:
        """Give it back."""
        self._taken[host] -= 1
        if not self._taken[host]:
            del self._taken[host]
