"""Which transport a reader takes: the best one that works here, and a better one again after a while. Pure."""

from collections.abc import Sequence
from typing import Literal, get_args

from tidemark_client.errors import Invalid

Transport = Literal["ws", "sse", "poll"]
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)

UNPROVEN_TRIES = 2
PROVEN_TRIES = 3


class Ways:
    """The transports of one reader, best first.

    One that fails goes to the next: one that never worked here after two tries, one that did after three, and one that
    is plainly not to be had at once. Only failures count in which the server could be reached in another way.
    """

    def __init__(self, transports: Sequence[Transport]) -> None:
        if not transports or len(set(transports)) != len(transports) or not set(transports) <= set(TRANSPORTS):
            raise Invalid(f"transports are some of {', '.join(TRANSPORTS)}, each once, the best first")
        self._transports = tuple(transports)
        self._index = 0
        self._tries = 0
        self._proven: set[Transport] = set()
        self._since_s: float | None = None

    @property
    def current(self) -> Transport:
        """The one to take now."""
        return self._transports[self._index]

    def worked(self, now_s: float) -> None:
        """Something came on it."""
        self._proven.add(self.current)
        self._tries = 0
        if self._since_s is None:
            self._since_s = now_s

    def failed(self, *, is_plain: bool = False) -> None:
        """It did not come to be, though the server is there; `is_plain` when it cannot be had here."""
        self._tries += 1
        if is_plain or self._tries >= (PROVEN_TRIES if self.current in self._proven else UNPROVEN_TRIES):
            self._take((self._index + 1) % len(self._transports))

    def ended(self, now_s: float, steady_s: float) -> None:
        """A connection ended, or a poll was answered; after `steady_s` on a lesser way the best is tried again."""
        if self._index and self._since_s is not None and now_s - self._since_s >= steady_s:
            self._take(0)

    def _take(self, index: int) -> None:
        self._index, self._tries, self._since_s = index, 0, None
