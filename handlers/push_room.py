"""How many streams may follow channels of one kind at a time, where others can poll (`[live] push_connections`)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from broker.errors import Unavailable

RETRY_AFTER_S = 30


class PushRoom:
    """The room of one process; `most` are by the beginnings of channels' ids. Other channels have no such bound."""

    def __init__(self, most: Mapping[str, int]) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def taken(self, channel_id: str) -> Iterator[None]:
        """A place for as long as the block runs; raises `Unavailable` where there is none."""
        beginning = next((each for each in self._most if channel_id.startswith(each)), None)
        if beginning is None:
            yield
            return
        if self._open[beginning] >= self._most[beginning]:
            raise Unavailable("As many follow as there is room for: poll instead", retry_after_s=RETRY_AFTER_S)
        self._open[beginning] += 1
        try:
            yield
        finally:
            self._open[beginning] -= 1
