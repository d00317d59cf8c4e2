"""Presence over all processes of an engine: each says how many readers its channels have, and who the first ones are.

A process says that it lives every `beat_s`, once a partition; one that was silent for `gone_s` by the engine's clock
counts no more. What it says of a channel is written when that changed, the changes of `gather_s` together, and once
more every `again_s`; it is kept for `kept_s`. So readers that come and go cost nothing where they do, and those that
stay next to nothing. While the engine is away nothing is lost but words, and they are said again.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import orjson

from broker.channels import ChannelRecord
from broker.errors import Refusal, Unavailable
from broker.presence import (
    Here,
    Person,
    Place,
    Present,
    Register,
    Seat,
    merge,
    parse_here,
    render_here,
)
from broker.storage.connect import answered
from broker.storage.engine import Engine
from broker.storage.keys import presence_key, processes_key
from broker.storage.scripts import READ_PRESENCE, REPORT_PRESENCE

AT_ONCE = 100
"""How many channels one script call is about."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PresenceTimes:
    """How often presence is told, and for how long it is believed."""

    gather_s: float = 1.0
    beat_s: float = 10.0
    gone_s: float = 30.0
    again_s: float = 120.0
    kept_s: float = 300.0


USUAL = PresenceTimes()


class Presence:
    """The readers of this process, and through the engine those of all others."""

    def __init__(self, engine: Engine, times: PresenceTimes = USUAL) -> None:
        self._engine = engine
        self._times = times
        self._process = secrets.token_hex(8)
        self._wanted = asyncio.Event()
        self._register = Register(self._wanted.set)
        self._beat_at_s = time.monotonic()
        self._known_at: set[int] = set()

    def enter(self, channel: ChannelRecord, person: Person | None) -> Seat:
        """One more reader of the channel here; None where nobody is named."""
        return self._register.enter(_place(channel), person, int(time.time() * 1000))

    async def count(self, channel: ChannelRecord) -> int:
        """How many read the channel, at all processes; raises `Unavailable`."""
        others = await self._others(channel, "")
        return self._register.readers(_place(channel)) + sum(map(int, others))

    async def present(self, channel: ChannelRecord) -> Present:
        """Who reads the channel, at all processes; raises `Unavailable`."""
        others = await self._others(channel, ":said")
        return merge([self._register.here(_place(channel)), *(parse_here(orjson.loads(said)) for said in others)])

    async def run(self) -> None:
        """Tell what is to be told, until cancelled; what fails is told again."""
        while True:
            self._wanted.clear()
            try:
                await self.tell()
            except Refusal as refusal:
                logger.warning("presence waits: %s", refusal.message)
            except Exception:
                logger.exception("presence could not be told; it is tried again")
            await asyncio.sleep(self._times.gather_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._times.beat_s / 2):
                    await self._wanted.wait()

    async def tell(self) -> None:
        """Tell what changed or is due; raises `Unavailable`, and the rest is told next time."""
        now_s = time.monotonic()
        for partition, places in self._due(now_s):
            said = [(place, self._register.tell(place, now_s)) for place in places]
            try:
                is_known = await self._report(partition, said)
            except BaseException:
                self._register.untold(places)
                raise
            if not is_known and partition in self._known_at:
                # The engine lost what it knew, or took this process for gone.
                self._register.untold([place for place in self._register.told() if place.partition == partition])
                self._wanted.set()
            self._known_at.add(partition)

    async def withdraw(self) -> None:
        """Say that this process is gone with all its readers; without an answer others find out by its silence."""
        with suppress(Unavailable):
            for partition in self._known_at:
                await answered(self._engine.steady.zrem(processes_key(partition), self._process))

    def _due(self, now_s: float) -> Iterator[tuple[int, list[Place]]]:
        """Channels to tell of, in portions of one partition; an empty one is a sign of life."""
        by_partition: dict[int, list[Place]] = {}
        for place in self._register.due(now_s, self._times.again_s):
            by_partition.setdefault(place.partition, []).append(place)
        if now_s - self._beat_at_s >= self._times.beat_s:
            self._beat_at_s = now_s
            self._known_at &= {place.partition for place in self._register.told()}
            by_partition = {**{partition: [] for partition in self._known_at}, **by_partition}
        for partition, places in by_partition.items():
            for i in range(0, max(1, len(places)), AT_ONCE):
                yield partition, places[i : i + AT_ONCE]

    async def _report(self, partition: int, said: list[tuple[Place, Here]]) -> bool:
        keys = [processes_key(partition), *(presence_key(*place) for place, _ in said)]
        words = [word for _, here in said for word in (here.readers, orjson.dumps(render_here(here)))]
        times = self._times
        args = [self._process, int(times.gone_s * 1000), int(times.kept_s * 1000), *words]
        return bool(await REPORT_PRESENCE(self._engine.steady, keys, args))

    async def _others(self, channel: ChannelRecord, what: str) -> list[bytes]:
        place = _place(channel)
        keys = [processes_key(place.partition), presence_key(*place)]
        args = [self._process, int(self._times.gone_s * 1000), what]
        found: list[bytes] = await READ_PRESENCE(self._engine.client, keys, args)
        return found


def _place(channel: ChannelRecord) -> Place:
    return Place(channel.partition, channel.id, channel.tag)
