"""Turns: many subscriptions that one writer serves, each in its turn (design section 3, "one loop").

No task and no queue for a channel. A subscription that was woken stands in line; a turn takes a bounded step of each in
line, and who may have more stands at the end again, so that a channel with much to replay delays no other by more than
its step. One page of a log is read at a time, beside the turns: a slow log does not hold up what is at hand.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from broker.closing import Closed
from broker.subscription import AtHand, Step, Subscription


class Part(NamedTuple):
    """What one subscription gives to a turn: a step to write, or its end."""

    name: str
    outcome: Step | Closed


class Place(Enum):
    """Where a subscription is: at the tip, in line for a turn, in line for its log, or being read from it."""

    TIP = "tip"
    READY = "ready"
    BEHIND = "behind"
    READING = "reading"


class Lane:
    """A subscription with its place, and what was read for it from its log and not yet given to a turn."""

    __slots__ = ("name", "outcome", "place", "subscription")

    def __init__(self, name: str, subscription: Subscription) -> None:
        self.name = name
        self.subscription = subscription
        self.place = Place.READY
        self.outcome: Step | Exception | None = None


class Rotation:
    """The subscriptions of one writer, by name. `on_ready` is called when somebody comes to stand in line.

    `turn` is called by one task, when everything of the turn before was written, and again while `is_ready`.
    """

    def __init__(self, on_ready: Callable[[], None], *, step_events: int, turn_bytes: int) -> None:
        self._on_ready = on_ready
        self._step_events = step_events
        self._turn_bytes = turn_bytes
        self._lanes: dict[str, Lane] = {}
        self._ready: deque[Lane] = deque()
        self._behind: deque[Lane] = deque()
        self._reading: asyncio.Task[None] | None = None
        self._given: list[Subscription] = []

    @property
    def is_ready(self) -> bool:
        """Whether somebody is in line: a turn may have something."""
        return bool(self._ready)

    def add(self, name: str, subscription: Subscription) -> None:
        """Serve a subscription from now on, instead of the one that had the name."""
        lane = self._lanes[name] = Lane(name, subscription)
        self._ready.append(lane)
        self._on_ready()

    def wake(self, name: str) -> None:
        """Tell that the subscription of this name has something new, or its end. The hub calls it by `on_wake`."""
        lane = self._lanes.get(name)
        if lane is None:
            return
        # An end does not wait for the log.
        if lane.place is Place.TIP or (lane.place is not Place.READY and lane.subscription.is_closing):
            self._stand_in_line(lane)

    def remove(self, name: str) -> None:
        """Serve it no more. What it gave to the turn that is being written is written all the same."""
        self._lanes.pop(name, None)

    def settle(self) -> None:
        """Say that everything of the last turn was written: the cursors of its subscriptions stand behind it."""
        for subscription in self._given:
            subscription.settle()
        self._given.clear()

    def turn(self) -> list[Part]:
        """A step of each that is in line, until the turn is full; empty when nothing is at hand.

        A subscription that ends is removed.
        """
        self.settle()
        parts: list[Part] = []
        total = 0
        for _ in range(len(self._ready)):
            lane = self._ready.popleft()
            outcome = self._outcome(lane) if self._is_served(lane) else None
            if outcome is not None:
                parts.append(Part(lane.name, outcome))
                total += _bytes(outcome)
            if total >= self._turn_bytes:
                break
        self._read_on()
        return parts

    async def aclose(self) -> None:
        """Stop reading ahead and serve nobody."""
        self._lanes.clear()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    def _outcome(self, lane: Lane) -> Step | Closed | None:
        found = lane.outcome
        lane.outcome = None
        try:
            if isinstance(found, Exception):
                raise found
            step = found or lane.subscription.take(self._step_events)
        except Closed as closed:
            self.remove(lane.name)
            return closed
        if isinstance(step, Step):
            self._given.append(lane.subscription)
            self._ready.append(lane)
            return step
        lane.place = Place.TIP
        if step is AtHand.IN_LOG:
            lane.place = Place.BEHIND
            self._behind.append(lane)
        return None

    def _read_on(self) -> None:
        while self._reading is None and self._behind:
            lane = self._behind.popleft()
            if self._is_served(lane) and lane.place is Place.BEHIND:
                lane.place = Place.READING
                self._reading = asyncio.create_task(self._read(lane), name=f"read-{lane.name}")

    async def _read(self, lane: Lane) -> None:
        outcome: Step | Exception | None
        try:
            outcome = await lane.subscription.read(self._step_events)
        except Exception as error:  # a defect is raised where the turn is taken
            outcome = error
        finally:
            self._reading = None
        if self._is_served(lane) and lane.place is Place.READING:
            lane.outcome = outcome
            self._stand_in_line(lane)
        self._read_on()

    def _stand_in_line(self, lane: Lane) -> None:
        lane.place = Place.READY
        self._ready.append(lane)
        self._on_ready()

    def _is_served(self, lane: Lane) -> bool:
        return self._lanes.get(lane.name) is lane


def _bytes(outcome: Step | Closed) -> int:
    return sum(len(frame.wire) for frame in outcome.frames) if isinstance(outcome, Step) else 0
