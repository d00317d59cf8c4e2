"""Faults that readers make: some that do not read, many that come back at once, and some that stay away too long."""

import asyncio
import itertools
import random
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from types import MappingProxyType

import orjson
from websockets.asyncio.client import connect

from soak.doors import by_socket, get_page
from soak.history import History, Reading, acked
from soak.readers import Reader, follow
from soak.stage import API, Broker, Stage
from soak.storm_socket import by_storm_socket
from soak.ways import BROKEN, http_client, options_of

STALLED = 5
STALL_S = 3.0
LITTLE_BYTES = 4_096
BEHIND_EVENTS = 100
AWAY_S = 2.5
KEPT_EVENTS = 5
TRIM_LOOKS = 100
TRIM_LOOK_S = 0.1
BACK_S = 60.0


class Crowd:
    """Who these readers are: on which channels they read, how many come back at once, who reads a trimmed channel."""

    def __init__(
        self,
        stage: Stage,
        history: History,
        chance: random.Random,
        starts: dict[str, str],
        storm: int,
        trimmed: str,
        followers: Sequence[Reader],
    ) -> None:
        self._stage = stage
        self._history = history
        self._chance = chance
        self._starts = starts
        self._storm = storm
        self._trimmed = trimmed
        self._followers = followers
        self._numbers = itertools.count(1)

    async def stall(self) -> None:
        """Readers that come with the oldest cursor and take nothing, and then read all after all."""
        ids = self._ids()
        readers = [self._reader("stalled", channel, self._starts[channel], ids) for channel in self._some(STALLED)]
        await self._all(_stall(self._stage, self._chance.choice(self._stage.brokers), reader) for reader in readers)
        await self._all(follow(self._stage, self._history, reader, by_socket, self._own()) for reader in readers)

    async def storm(self) -> None:
        """Many sockets that connect at the same moment, each some events behind."""
        ids = self._ids()
        readers = []
        for channel in self._some(self._storm):
            behind = ids[channel][-self._chance.randint(2, BEHIND_EVENTS) :]
            readers.append(self._reader("storm", channel, behind[0], ids))
        await self._all(follow(self._stage, self._history, reader, by_storm_socket, self._own()) for reader in readers)

    async def trim(self) -> None:
        """Readers leave, and meanwhile nearly everything after their cursors is trimmed."""
        for reader in self._followers:
            reader.hold()
        await self._keep({"storage": {"retention_events": KEPT_EVENTS}})
        await asyncio.sleep(AWAY_S)
        await self._until_trimmed(min(reader.cursor for reader in self._followers))
        await self._keep(None)
        for reader in self._followers:
            reader.let_go()

    async def _until_trimmed(self, cursor: str) -> None:
        async with http_client(self._stage) as http:
            for _ in range(TRIM_LOOKS):
                url = f"{self._stage.brokers[0].url}{API}/channels/{self._trimmed}/events"
                page = await get_page(http, url, {"cursor": cursor})
                if page is not None and not page["complete"]:
                    return
                await asyncio.sleep(TRIM_LOOK_S)
        self._history.remarks.append("nothing was trimmed that retention no longer keeps")

    def _ids(self) -> dict[str, list[str]]:
        """The ids that are acknowledged now, by channel, where nothing is trimmed; at least the start."""
        return {
            channel: [
                start,
                *sorted(event_id for each in acked(self._history.publishes, channel) for event_id in each.ids),
            ]
            for channel, start in self._starts.items()
            if channel != self._trimmed
        }

    def _reader(self, kind: str, channel: str, cursor: str, ids: dict[str, list[str]]) -> Reader:
        until = ids[channel][-1]
        reading = Reading(f"{kind}-{next(self._numbers)}", channel, cursor, until=until)
        self._history.readings.append(reading)
        reader = Reader(reading)
        reader.is_done = until == cursor
        return reader

    def _some(self, count: int) -> list[str]:
        return self._chance.choices([channel for channel in self._starts if channel != self._trimmed], k=count)

    def _own(self) -> random.Random:
        return random.Random(self._chance.random())

    async def _all(self, readings: Iterator[Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(BACK_S):
                await asyncio.gather(*readings)
        except TimeoutError:
            self._history.remarks.append(f"not everybody of a crowd had everything after {BACK_S:g} s")

    async def _keep(self, config: object) -> None:
        while True:
            url = f"{self._chance.choice(self._stage.brokers).url}{API}/channels/{self._trimmed}"
            async with http_client(self._stage) as http:
                answer = await http.patch(url, json={"config": config})
            if answer.status_code == 200:
                return
            self._history.remarks.append(f"a change of retention was answered {answer.status_code}")
            await asyncio.sleep(1)


async def _stall(stage: Stage, broker: Broker, reader: Reader) -> None:
    """Connect past the proxy, with little room in the kernel, and read nothing for a while."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE_BYTES)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", broker.port))
        url = f"ws://127.0.0.1:{broker.port}{API}/channels/{reader.reading.channel}/ws?cursor={reader.cursor}"
        options = {**options_of(stage), "sock": sock, "max_queue": 1, "ping_interval": None}
        async with connect(url, **options) as stalled:
            await asyncio.sleep(STALL_S)
            while not reader.is_done:
                reader.take(orjson.loads(await stalled.recv()))
    except BROKEN as error:
        reader.leave(error)
    finally:
        sock.close()


CROWDS: MappingProxyType[str, Callable[[Crowd], Awaitable[None]]] = MappingProxyType(
    {"reader-stall": Crowd.stall, "reader-storm": Crowd.storm, "trim": Crowd.trim}
)
