"""How many connections each token, or each address, holds open in this process, bounded (reliability.md F)."""

from collections.abc import Iterator
from contextlib import contextmanager

from broker.errors import TooMany


class OpenConnections:
    """Counts held connections by principal; at most `most` each. `message` is for those that are refused."""

    def __init__(self, most: int, message: str = "This token has as many connections open as it may") -> None:
        self._most = most
        self._message = message
        self._open: dict[str, int] = {}

    @contextmanager
    def hold(self, principal: str | None) -> Iterator[None]:
        """Count one connection while entered. Raises `TooMany`."""
        self.enter(principal)
        try:
            yield
        finally:
            self.leave(principal)

    def enter(self, principal: str | None) -> None:
        """Count one more; None, for one without a token, is not counted. Raises `TooMany`."""
        if principal is None:
            return
        count = self._open.get(principal, 0)
        if count >= self._most:
            raise TooMany(self._message, retry_after_s=5)
        self._open[principal] = count + 1

    def leave(self, principal: str | None) -> None:
        """One that was counted is gone."""
        if principal is None:
            return
        self._open[principal] -= 1
        if not self._open[principal]:
            del self._open[principal]
