"""Checks what one reader was given against what its channel held: no hole, nothing twice, in order, as asked. Pure.

A gap that was declared is no hole; one that was declared and was none is a violation too (`false-gap`).
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from soak.history import Event, Gap, Reading


class Violation(NamedTuple):
    """One promise that was not kept, and what shows it."""

    kind: str
    text: str


class Truth(NamedTuple):
    """What is known of a channel: its `events` in order, those that are still `kept`, and all names ever published.

    Below `floor` events were trimmed, and those whose acknowledgement nobody heard are not in `events`.
    """

    events: list[Event]
    kept: frozenset[str]
    floor: str
    names: set[str]

    def between(self, after: str, through: str | None) -> list[Event]:
        """The events after one id up to another, and with it."""
        ids = [event.id for event in self.events]
        end = len(ids) if through is None else bisect_right(ids, through)
        return self.events[bisect_right(ids, after) : end]


def check_reading(reading: Reading, truth: Truth) -> Iterator[Violation]:
    """Walk through its steps; each violation is named once."""
    who = f"{reading.reader} on {reading.channel}"
    by_id = {event.id: event for event in truth.events}
    declared = _Declared(reading.start)
    seen: dict[str, int] = {}
    top = reading.start
    for number, step in enumerate(reading.steps):
        if isinstance(step, Gap):
            yield from (
                Violation("false-gap", f"{who}: told at {step.at_s} that {event} is gone")
                for event in truth.between(max(top, declared.through), step.through)
                if event.id in truth.kept
            )
            declared.take(max(top, declared.through), step.through)
            top = max(top, step.through)
            continue
        event = step.event
        yield from _check_event(event, by_id, truth, reading, f"{who}, step {number}")
        if event.id in seen:
            yield Violation("repeated", f"{who}: {event} as step {seen[event.id]} and {number}")
        elif event.id <= top:
            yield Violation("reordered", f"{who}: {event} as step {number}, behind {top}")
        seen[event.id] = number
        top = max(top, event.id)
    for event in truth.between(reading.start, reading.until):
        if reading.wants(event) and event.id not in seen and not declared.covers(event.id):
            yield Violation("skipped", f"{who}: {event} after {_before(event.id, reading)}")


class _Declared:
    """The spans of ids that a reader was told to be gone."""

    def __init__(self, start: str) -> None:
        self.through = start
        self._spans: list[tuple[str, str]] = []

    def take(self, after: str, through: str) -> None:
        """A span more."""
        self._spans.append((after, through))
        self.through = max(self.through, through)

    def covers(self, event_id: str) -> bool:
        """Whether the id is in any."""
        return any(after < event_id <= through for after, through in self._spans)


def _check_event(
    event: Event, by_id: dict[str, Event], truth: Truth, reading: Reading, who: str
) -> Iterator[Violation]:
    stored = by_id.get(event.id)
    if not reading.wants(event):
        yield Violation("unwanted", f"{who}: {event} passed the filter {sorted(reading.types or ())}")
    if stored is None:
        # Trimmed, and its acknowledgement was not heard: then its name is all that can be checked.
        if event.id >= truth.floor or event.name not in truth.names:
            yield Violation("altered", f"{who}: {event} is not in the log")
    elif stored != event:
        yield Violation("altered", f"{who}: {event} is in the log as {stored}")


def _before(event_id: str, reading: Reading) -> str:
    ids = [step.event.id for step in reading.steps if not isinstance(step, Gap) and step.event.id < event_id]
    return max(ids, default=reading.start)


def events_declared(reading: Reading, truth: Truth) -> int:
    """How many known events the reader was told to be gone, of those that it wants."""
    top, count = reading.start, 0
    for step in reading.steps:
        through = step.through if isinstance(step, Gap) else step.event.id
        if isinstance(step, Gap):
            count += sum(reading.wants(event) for event in truth.between(top, step.through))
        top = max(top, through)
    return count
