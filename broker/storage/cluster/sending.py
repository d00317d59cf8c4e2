"""Commands on their way to the nodes of a cluster.

A node that refuses a command for want of the slot (MOVED, ASK, TRYAGAIN, CLUSTERDOWN), as it is loading its data, or as
it cannot be connected to, has done nothing: the command is sent again, for a bounded time. A command whose connection
broke after it was sent may have been done: it is never sent again.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio.client import Pipeline
from redis.exceptions import (
    AskError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    MovedError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import TimeoutError as EngineTimeoutError

from broker.storage.cluster.nodes import Nodes
from broker.storage.cluster.slots import READS, slot_of
from broker.storage.cluster.urls import Address
from broker.storage.losses import is_lost

REFUSALS = (AskError, TryAgainError, ClusterDownError, MasterDownError)
"""A node has not done it. MovedError is an AskError."""

PATIENCE_S = 1.0
PAUSES_S = (0.02, 0.1)
QUICK_ROUNDS = 3
"""So often redirections are followed at once; then a pause, as nodes that disagree need time."""

Command = tuple[tuple[Any, ...], Mapping[str, Any]]


@dataclass(slots=True)
class Unit:
    """A command with a key, at `places[0]` or later, and those without that go with it on the same connection.

    `asked` is the node that the last one redirected to for just one try, None for the owner of the slot.
    """

    slot: int | None
    places: list[int]
    keyed: int
    asked: Address | None = None


class Sending:
    """Some commands, and their answers as far as there are any."""

    def __init__(self, nodes: Nodes, commands: Sequence[Command]) -> None:
        self._nodes = nodes
        self._commands = commands
        self._answers: list[Any] = [None] * len(commands)
        # Commands that were not done, for want of a connection or of the node's data: as good as refused.
        self._unsent: set[int] = set()
        # Which of several commands LOADING was the answer to is not told; it must not be one after a write.
        self._is_harmless = len(commands) == 1 or all(args[0] in READS for args, _ in commands)

    async def run(self, patience_s: float = PATIENCE_S) -> list[Any]:
        """The answers, or exceptions in their places: also what was refused until the time was up."""
        until = time.monotonic() + patience_s
        left, rounds, pause_s = list(_units(self._commands)), 0, PAUSES_S[0]
        while True:
            await self._send(left)
            left = self._refused(left)
            is_told = self._redirect(left)
            rounds += 1
            if left and is_told and rounds <= QUICK_ROUNDS:
                continue
            if not left or time.monotonic() >= until:
                return self._answers
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSES_S[1])

    async def _send(self, units: list[Unit]) -> None:
        groups: dict[Address, list[Unit]] = defaultdict(list)
        for unit in units:
            try:
                groups[unit.asked or self._nodes.owner(unit.slot)].append(unit)
            except ClusterDownError as error:
                self._nodes.suspect()
                self._put(unit, error)
        if len(groups) == 1:
            [(address, group)] = groups.items()
            await self._send_to(address, group)
        else:
            await asyncio.gather(*(self._send_to(address, group) for address, group in groups.items()))

    async def _send_to(self, address: Address, units: list[Unit]) -> None:
        pipeline = self._nodes.client(address).pipeline(transaction=False)
        places = self._write(pipeline, units)
        try:
            pipeline.connection = await pipeline.connection_pool.get_connection()  # type: ignore[no-untyped-call]
        except (RedisError, OSError, TimeoutError) as error:
            # A node that lets a connection wait would let the next one wait as well.
            self._fail(address, units, error, is_sent=isinstance(error, EngineTimeoutError | TimeoutError))
            return
        try:
            answers = await pipeline.execute(raise_on_error=False)
        except Exception as error:
            if not isinstance(error, RedisError) and not is_lost(error):
                raise
            is_loading = isinstance(error, BusyLoadingError) and self._is_harmless
            self._fail(address, units, error, is_sent=not is_loading)
            return
        for place, answer in zip(places, answers, strict=True):
            if place is not None:
                self._answers[place] = answer

    def _write(self, pipeline: Pipeline, units: list[Unit]) -> list[int | None]:
        """Put the commands of the units on a pipeline; the places of the answers, None for those to ASKING."""
        places: list[int | None] = []
        for unit in units:
            self._unsent.discard(unit.keyed)
            for place in unit.places:
                if unit.asked is not None and place == unit.keyed:
                    # It counts for the one command that follows it on this connection.
                    pipeline.execute_command("ASKING")
                    places.append(None)
                args, options = self._commands[place]
                pipeline.execute_command(*args, **options)
                places.append(place)
        return places

    def _fail(self, address: Address, units: list[Unit], error: Exception, *, is_sent: bool) -> None:
        self._nodes.suspect(address)
        for unit in units:
            self._put(unit, error)
        if not is_sent:
            self._unsent.update(unit.keyed for unit in units)

    def _put(self, unit: Unit, error: Exception) -> None:
        for place in unit.places:
            self._answers[place] = error

    def _refused(self, units: list[Unit]) -> list[Unit]:
        """Those to send again: of each slot the first that was refused and all after it, so that order is kept."""
        slots = set()
        left = []
        for unit in units:
            if unit.keyed in self._unsent or isinstance(self._answers[unit.keyed], REFUSALS):
                slots.add(unit.slot)
            if unit.slot in slots:
                left.append(unit)
        return left

    def _redirect(self, units: list[Unit]) -> bool:
        """Follow where the refusals point to; False when one of them says no more than to wait."""
        is_told = True
        for unit in units:
            answer, asked = self._answers[unit.keyed], unit.asked
            unit.asked = None
            if isinstance(answer, AskError):
                self._follow(unit, answer, asked)
            elif unit.keyed in self._unsent or isinstance(answer, REFUSALS):
                is_told = False
                if isinstance(answer, ClusterDownError):
                    self._nodes.suspect()
        return is_told

    def _follow(self, unit: Unit, answer: AskError, asked: Address | None) -> None:
        # A node that does not know a host means its own.
        host = answer.host or (asked or self._nodes.owner(answer.slot_id)).host
        pointed = Address(host, answer.port)
        if isinstance(answer, MovedError):
            self._nodes.learn(answer.slot_id, pointed)
        else:
            unit.asked = pointed


def _units(commands: Sequence[Command]) -> Iterator[Unit]:
    """What must share a connection: a command without a key goes with the one before it, or with the first."""
    unit: Unit | None = None
    for place, (args, _) in enumerate(commands):
        slot = slot_of(args)
        if unit is None:
            unit = Unit(slot, [place], place)
        elif slot is None:
            unit.places.append(place)
        elif unit.slot is None:
            unit.slot, unit.keyed = slot, place
            unit.places.append(place)
        else:
            yield unit
            unit = Unit(slot, [place], place)
    if unit is not None:
        yield unit
