"""One run: drivers of every client behind one proxy, faults one after the other, then everything is read to its end."""

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.processes import NotServing
from soak.clients.faults import CLIENT_FAULTS
from soak.clients.node import NODE
from soak.clients.told import Driver
from soak.defects import defects_in
from soak.faults import Misbehaved
from soak.history import Fault, History, Publish, Reading, parse_event
from soak.publishers import LAST
from soak.schedule import plan
from soak.stage import Broker, Stage
from tidemark_client import AsyncClient, Draft, Timing

CHANNEL = "soak-clients"
HERE = Path(__file__).parent
PYTHON = (sys.executable, "-P", "-m", "soak.clients.driver")
DRIVERS = {
    "python-sync": (*PYTHON, "sync"),
    "python-async": (*PYTHON, "async"),
    "javascript": (str(NODE), str(HERE / "driver.js")),
}
READERS: tuple[tuple[str, list[str], list[str] | None], ...] = (
    ("ws", ["ws"], None),
    ("sse", ["sse"], None),
    ("poll", ["poll"], None),
    ("any", ["ws", "sse", "poll"], None),
    ("any-red", ["ws", "sse", "poll"], ["red", LAST]),
)
QUICK: dict[str, float] = {
    "answer_s": 3.0,
    "open_s": 3.0,
    "silence_s": 1.5,
    "grace_s": 1.0,
    "first_s": 0.1,
    "longest_s": 1.0,
    "call_longest_s": 1.0,
    "steady_s": 5.0,
    "wait_s": 2.0,
}
WARM_S = 1.0
QUIET_SHARE = 0.25
START_S = 60.0
END_S = 90.0
LOOK_S = 0.02
LINE_BYTES = 1 << 20

Say = Callable[[str], None]


class Asked(NamedTuple):
    """For how long faults come (s), the seed, which faults, and which drivers."""

    seconds: float
    seed: int
    faults: Sequence[str] = tuple(CLIENT_FAULTS)
    drivers: Sequence[str] = tuple(DRIVERS)


async def torture(stage: Stage, asked: Asked, say: Say) -> tuple[History, list[Driver]]:
    """Run it; the whole history, and what each driver told."""
    history, broker = History(), stage.brokers[0]
    timing = Timing(**QUICK)
    async with AsyncClient(f"http://127.0.0.1:{broker.port}", token=stage.token, timing=timing) as client:
        await client.request("POST", "channels", json={"id": CHANNEL, "name": CHANNEL})
        start = (await client.page(CHANNEL)).cursor
        async with AsyncExitStack() as stack:
            running = [
                await stack.enter_async_context(_driving(name, stage, broker, history, start)) for name in asked.drivers
            ]
            drivers = [each.driver for each in running]
            await _until(lambda: all(_has_begun(each) for each in drivers), START_S, history, "not everybody began")
            await asyncio.sleep(WARM_S)
            await _faults(stage, broker, asked, history, say)
            for each in running:
                each.stop()
            await _until(lambda: all(each.is_stopped for each in drivers), END_S, history, "not everything was acked")
            await _publish_last(client, history)
            await _until(
                lambda: all(_is_done(each) for each in drivers), END_S, history, "not every reader saw the last"
            )
        history.logs[CHANNEL] = [parse_event(event.fields) async for event in client.read(CHANNEL, cursor=start)]
    history.remarks += defects_in(broker.program.name, broker.program.log)
    return history, drivers


async def _faults(stage: Stage, broker: Broker, asked: Asked, history: History, say: Say) -> None:
    chance = random.Random(f"{asked.seed} connections")
    until_s = time.monotonic() + asked.seconds
    for planned in plan(asked.faults, random.Random(asked.seed), len(stage.brokers)):
        if time.monotonic() > until_s:
            return
        began_s = time.monotonic()
        try:
            await CLIENT_FAULTS[planned.name](stage, broker, chance)
        except Misbehaved as misbehaved:
            history.remarks.append(f"{planned.name}: {misbehaved}")
        except NotServing as dead:
            history.remarks.append(f"{planned.name}, and no more faults after it: {dead}")
            return
        ended_s = time.monotonic()
        say(f"{planned.name}: {ended_s - began_s:.2f} s")
        await asyncio.sleep(QUIET_SHARE * planned.quiet_s)
        history.faults.append(Fault(planned.name, broker.program.name, began_s, ended_s, time.monotonic()))


class _Running:
    """A driver's process."""

    def __init__(self, driver: Driver, process: asyncio.subprocess.Process) -> None:
        self.driver = driver
        self._process = process

    def stop(self) -> None:
        """Let it publish no more."""
        if self._process.stdin is not None:
            self._process.stdin.write(b"stop\n")

    async def listen(self) -> None:
        """Take in what it tells, until it ends."""
        assert self._process.stdout is not None  # noqa: S101 - it was started with a pipe
        async for line in self._process.stdout:
            if line.endswith(b"\n"):
                self.driver.take(json.loads(line))


@asynccontextmanager
async def _driving(name: str, stage: Stage, broker: Broker, history: History, start: str) -> AsyncIterator[_Running]:
    readings = {
        reader: Reading(f"{name} {reader}", CHANNEL, start, None if types is None else frozenset(types))
        for reader, _, types in READERS
    }
    history.readings += readings.values()
    asked: dict[str, Any] = {
        "url": broker.url,
        "token": stage.token,
        "name": name,
        "channel": CHANNEL,
        "cursor": start,
        "timing": QUICK,
        "readers": [{"name": reader, "transports": ways, "types": types} for reader, ways, types in READERS],
    }
    with (stage.folder / f"{name}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *DRIVERS[name],
            json.dumps(asked),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            limit=LINE_BYTES,
        )
    running = _Running(Driver(name, CHANNEL, history, readings), process)
    listening = asyncio.create_task(running.listen())
    try:
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening
        history.remarks += _complaints(name, stage.folder / f"{name}.log")


def _complaints(name: str, log: Path) -> list[str]:
    """What a driver said on stderr: nothing, unless something is wrong with it."""
    said = log.read_text(errors="replace").strip()
    return [f"{name} said: {said[-2000:]}"] if said else []


async def _publish_last(client: AsyncClient, history: History) -> None:
    """The event that ends every reader."""
    publish = Publish("the soak", CHANNEL, (("the-last", LAST),), time.monotonic(), tries=1)
    history.publishes.append(publish)
    [event] = await client.publish_batch(CHANNEL, [Draft({"name": "the-last"}, LAST)])
    publish.ids, publish.acked_s = (event.id,), time.monotonic()


def _has_begun(driver: Driver) -> bool:
    return all(reading.steps for reading in driver.readings.values())


def _is_done(driver: Driver) -> bool:
    return driver.done >= driver.readings.keys()


async def _until(holds: Callable[[], bool], patience_s: float, history: History, otherwise: str) -> None:
    until_s = time.monotonic() + patience_s
    while not holds():
        if time.monotonic() > until_s:
            history.remarks.append(otherwise)
            return
        await asyncio.sleep(LOOK_S)
