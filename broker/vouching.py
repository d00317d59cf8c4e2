"""Whether the engine still speaks for what readers are shown: when the node of each partition answered last.

In a cluster one node may be away without the others. Pure: times are arguments, seconds of one clock.
"""

from collections.abc import Iterable

LOOK_S = 0.5
"""How soon is looked again, at the latest."""


class Vouching:
    """A partition is vouched for while its last answer is no older than `vouch_s`."""

    def __init__(self, partitions: int, vouch_s: float, now_s: float) -> None:
        self._vouch_s = vouch_s
        self._answered_s = dict.fromkeys(range(partitions), now_s)
        self._look_s = now_s

    def answered(self, partitions: Iterable[int], now_s: float) -> None:
        """The nodes of these answered."""
        self._answered_s |= dict.fromkeys(partitions, now_s)

    def begin(self, now_s: float) -> None:
        """Nothing is silent yet."""
        self.answered(list(self._answered_s), now_s)
        self._look_s = now_s

    def covers(self, partition: int, now_s: float) -> bool:
        """Whether this partition is vouched for."""
        return now_s - self._answered_s[partition] <= self._vouch_s

    def covers_any(self, now_s: float) -> bool:
        """Whether any partition is."""
        return any(self.covers(partition, now_s) for partition in self._answered_s)

    def look(self, now_s: float) -> tuple[list[int], float]:
        """The partitions that have been silent for too long, and in how many seconds to look again.

        While this process itself stood still it could not ask: that time is not the engine's.
        """
        still_s = max(0.0, now_s - self._look_s)
        silent, next_s = [], LOOK_S
        for partition, answered_s in self._answered_s.items():
            self._answered_s[partition] = min(now_s, answered_s + still_s)
            left_s = self._answered_s[partition] + self._vouch_s - now_s
            if left_s <= 0:
                silent.append(partition)
            else:
                next_s = min(next_s, left_s)
        self._look_s = now_s + next_s
        return silent, next_s
