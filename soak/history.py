"""What happened in a run, as the clients saw it: publishes, readings, faults, and the logs at the end. Pure.

Times are seconds of one monotonic clock. An event is known by its name, which its publisher made and nobody uses twice;
its id is what the broker gave it. Ids of a channel order as text, as the broker's do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Event(NamedTuple):
    """An event as a reader or the log shows it."""

    id: str
    name: str
    type: str | None


class Seen(NamedTuple):
    """A reader was given an event."""

    event: Event
    at_s: float


class Gap(NamedTuple):
    """A reader was told that events up to this id, and this one, are no longer kept."""

    through: str
    at_s: float


@dataclass(slots=True)
class Publish:
    """One publish, single or a batch: tried until acknowledged, always with the same key."""

    publisher: str
    channel: str
    events: tuple[tuple[str, str | None], ...]
    began_s: float
    acked_s: float | None = None
    ids: tuple[str, ...] = ()
    tries: int = 0

    @property
    def stored(self) -> list[Event]:
        """The events as the acknowledgement names them; none before it."""
        return [Event(event_id, *event) for event_id, event in zip(self.ids, self.events, strict=False)]


@dataclass(slots=True)
class Reading:
    """One reader of one channel: what it asked for, and what it was given or told, in order.

    It has to be given everything after `start` up to `until`, or to the log's end. `is_live` tells that it reads all
    the time and everything, so that its silence is the broker's.
    """

    reader: str
    channel: str
    start: str
    types: frozenset[str] | None = None
    until: str | None = None
    is_live: bool = False
    steps: list[Seen | Gap] = field(default_factory=list)

    def wants(self, event: Event) -> bool:
        """Whether its filter lets the event through."""
        return self.types is None or event.type in self.types


class Fault(NamedTuple):
    """One fault: how long it lasted, and until when its consequences are counted as its own."""

    name: str
    target: str
    began_s: float
    ended_s: float
    until_s: float


class Lag(NamedTuple):
    """How late the clients' own loop was, up to this moment."""

    at_s: float
    late_s: float


@dataclass(slots=True)
class History:
    """A whole run. `logs` are the events that each channel has at the end, as paged through from its beginning.

    Only of `trimmed` channels may events be gone. `remarks` are faults of the broker that show without a checker: a
    wrong answer, a traceback, a reader that stuck. `dropped` messages of the live feed did not reach a broker.
    """

    publishes: list[Publish] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    logs: dict[str, list[Event]] = field(default_factory=dict)
    trimmed: frozenset[str] = frozenset()
    remarks: list[str] = field(default_factory=list)
    lags: list[Lag] = field(default_factory=list)
    dropped: int = 0


def parse_event(told: Mapping[str, Any]) -> Event:
    """An event of the soak from its JSON; one that is not the soak's has an empty name."""
    content = told.get("data")
    name = content.get("name", "") if isinstance(content, dict) else ""
    return Event(str(told["id"]), str(name), told.get("type"))


def acked(publishes: Sequence[Publish], channel: str) -> list[Publish]:
    """The acknowledged publishes of a channel."""
    return [each for each in publishes if each.channel == channel and each.acked_s is not None]
