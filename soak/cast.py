"""Everybody who publishes and reads in a run, and on which channels."""

import itertools
import random
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass

from soak.doors import by_long_poll, by_poll, by_socket, by_stream
from soak.history import History, Reading
from soak.many import follow_many
from soak.publishers import LAST, Publisher
from soak.readers import Door, Reader, follow
from soak.stage import Stage

TRIMMED = "soak-trimmed"
DOORS: dict[str, Door] = {"ws": by_socket, "sse": by_stream, "poll": by_poll, "long-poll": by_long_poll}
FILTER = frozenset({"red", LAST})
CHANNELS = ("soak-1", "soak-2", TRIMMED)
"""Channels of the run; the last is the one that is trimmed while it is read."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many publish, how often each, and how many come in a storm."""

    publishers: int = 6
    pause_s: float = 0.06
    storm: int = 500


class Cast:
    """The publishers and readers of a run; `starts` are the cursors of the channels when they were made."""

    def __init__(self, stage: Stage, history: History, seed: int, size: Size, starts: dict[str, str]) -> None:
        self._stage = stage
        self._history = history
        self._seed = seed
        self._starts = starts
        self.publishers = [
            Publisher(f"p{number}", stage, history, CHANNELS, self._chance(f"publisher {number}"), size.pause_s)
            for number in range(size.publishers)
        ]
        self.readers: list[Reader] = []

    @property
    def of_trimmed(self) -> list[Reader]:
        """Those who read the channel that is trimmed."""
        return [reader for reader in self.readers if reader.reading.channel == TRIMMED]

    def readings(self) -> Iterator[Awaitable[None]]:
        """What the readers do: each channel at each door, everything and filtered, and sockets on many channels."""
        for channel, (door, enter), types in itertools.product(CHANNELS, DOORS.items(), (None, FILTER)):
            reader = self._reader(door, channel, types)
            yield follow(self._stage, self._history, reader, enter, self._chance(reader.reading.reader))
        for number, (channels, types) in enumerate(((CHANNELS[:-1], None), (CHANNELS[:-1], FILTER), (CHANNELS, None))):
            readers = [self._reader(f"many-{number}", channel, types, TRIMMED in channels) for channel in channels]
            yield follow_many(self._stage, self._history, readers, self._chance(f"many {number}"))

    def _reader(self, door: str, channel: str, types: frozenset[str] | None, leaves: bool = False) -> Reader:
        is_live = types is None and channel != TRIMMED and not leaves
        name = f"{door}-{'all' if types is None else 'red'}"
        reading = Reading(f"{name} {channel}", channel, self._starts[channel], types, is_live=is_live)
        self._history.readings.append(reading)
        self.readers.append(Reader(reading))
        return self.readers[-1]

    def _chance(self, who: str) -> random.Random:
        return random.Random(f"{self._seed} {who}")


def unfinished(readers: Sequence[Reader]) -> list[str]:
    """Those who have not read everything."""
    return [reader.reading.reader for reader in readers if not reader.is_done]
