"""One run: everybody starts, faults come one after the other, all is read to the end, and the logs are read whole."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from bench.processes import NotServing
from soak.cast import CHANNELS, TRIMMED, Cast, Size, unfinished
from soak.crowds import CROWDS, Crowd
from soak.defects import defects_in
from soak.doors import get_page
from soak.faults import FAULTS, Misbehaved
from soak.history import Event, Fault, History, Lag, parse_event
from soak.publishers import LAST
from soak.readers import Refused
from soak.schedule import Planned, plan
from soak.stage import API, Broker, Stage
from soak.ways import BROKEN, http_client

ALL = (*FAULTS, *CROWDS)
WARM_S = 2.0
LOOK_S = 0.05
SERVICE_S = 30.0
END_S = 60.0

Say = Callable[[str], None]
Memory = dict[str, tuple[int, int]]


class Asked(NamedTuple):
    """What is to be run: for how long (s), with which seed, which faults, and how large."""

    seconds: float
    seed: int
    faults: Sequence[str] = ALL
    size: Size = Size()


async def soak(stage: Stage, asked: Asked, say: Say) -> tuple[History, Memory]:
    """Run it; the whole history, and the resident memory of each broker at the beginning and at the end, in bytes."""
    history = History(trimmed=frozenset({TRIMMED}))
    starts = {channel: await _create(stage, channel) for channel in CHANNELS}
    cast = Cast(stage, history, asked.seed, asked.size, starts)
    async with asyncio.TaskGroup() as group:
        own = group.create_task(_watch_own_loop(history))
        reading = [group.create_task(_awaited(each)) for each in cast.readings()]
        publishing = [group.create_task(publisher.run()) for publisher in cast.publishers]
        await asyncio.sleep(WARM_S)
        first = _memory(stage)
        await _faults(stage, asked, history, cast, starts, say)
        for publisher in cast.publishers:
            publisher.is_over = True
        await _finish(publishing, history, "a publish was never acknowledged")
        for channel in CHANNELS:
            await asyncio.wait_for(cast.publishers[0].publish(channel, LAST), END_S)
        await _finish(reading, history, "a reader never came to the end")
        own.cancel()
    history.remarks += [f"not at the end: {name}" for name in unfinished(cast.readers)]
    memory = {
        name: (before, after) for (name, before), after in zip(first.items(), _memory(stage).values(), strict=True)
    }
    for channel, start in starts.items():
        history.logs[channel] = await _whole_log(stage, history, channel, start)
    for broker in stage.brokers:
        history.remarks += defects_in(broker.program.name, broker.program.log)
    history.dropped = sum(broker.engine.dropped for broker in stage.brokers)
    return history, memory


async def _faults(stage: Stage, asked: Asked, history: History, cast: Cast, starts: dict[str, str], say: Say) -> None:
    crowd_chance = random.Random(f"{asked.seed} crowds")
    crowd = Crowd(stage, history, crowd_chance, starts, asked.size.storm, TRIMMED, cast.of_trimmed)
    until_s = time.monotonic() + asked.seconds
    for planned in plan(asked.faults, random.Random(asked.seed), len(stage.brokers)):
        if time.monotonic() > until_s:
            return
        began_s = time.monotonic()
        try:
            await _harm(stage, planned, crowd)
        except (Misbehaved, Refused, *BROKEN) as misbehaved:
            history.remarks.append(f"{planned.name}: {misbehaved!r}")
        except NotServing as dead:
            history.remarks.append(f"{planned.name}, and no more faults after it: {dead}")
            return
        ended_s = time.monotonic()
        await _service(history, ended_s, planned.name)
        say(f"{planned.name}: {ended_s - began_s:.2f} s, all served {time.monotonic() - ended_s:.2f} s later")
        await asyncio.sleep(planned.quiet_s)
        target = stage.brokers[planned.broker].program.name
        history.faults.append(Fault(planned.name, target, began_s, ended_s, time.monotonic()))


async def _harm(stage: Stage, planned: Planned, crowd: Crowd) -> None:
    if planned.name in FAULTS:
        await FAULTS[planned.name](stage, stage.brokers[planned.broker])
    else:
        await CROWDS[planned.name](crowd)


async def _service(history: History, since_s: float, fault: str) -> None:
    """Return when everybody who publishes or reads all the time was served after this moment."""
    live = [reading for reading in history.readings if reading.is_live]
    publishers = {publish.publisher for publish in history.publishes}
    until_s = since_s + SERVICE_S
    while time.monotonic() < until_s:
        newest = history.publishes[-50 * len(publishers) :]
        served = {each.publisher for each in newest if each.acked_s is not None and each.acked_s >= since_s}
        if served == publishers and all(each.steps and each.steps[-1].at_s >= since_s for each in live):
            return
        await asyncio.sleep(LOOK_S)
    history.remarks.append(f"{SERVICE_S:g} s after {fault} not everybody was served")


async def _watch_own_loop(history: History) -> None:
    """Note how late we are ourselves: what clients wait for us is not the broker's fault."""
    while True:
        began_s = time.monotonic()
        await asyncio.sleep(LOOK_S)
        history.lags.append(Lag(time.monotonic(), time.monotonic() - began_s - LOOK_S))


async def _finish(tasks: Sequence[asyncio.Task[None]], history: History, otherwise: str) -> None:
    """Wait for these; what takes too long is cancelled and told."""
    _, late = await asyncio.wait(tasks, timeout=END_S)
    for task in late:
        task.cancel()
        history.remarks.append(otherwise)


async def _awaited(reading: Awaitable[None]) -> None:
    await reading


async def _create(stage: Stage, channel: str) -> str:
    """Make a channel; the cursor before its first event."""
    async with http_client(stage, stage.brokers[0].url) as http:
        made = await http.post(f"{API}/channels", json={"id": channel, "name": channel})
        made.raise_for_status()
        page = await http.get(f"{API}/channels/{channel}/events")
        return str(page.json()["cursor"])


async def _whole_log(stage: Stage, history: History, channel: str, start: str) -> list[Event]:
    """Every event of the channel, which both brokers must page through alike."""
    logs = [await _log_of(stage, history, broker, channel, start) for broker in stage.brokers]
    if any(log != logs[0] for log in logs):
        history.remarks.append(f"the brokers show different logs of {channel}: {[len(log) for log in logs]} events")
    return logs[0]


async def _log_of(stage: Stage, history: History, broker: Broker, channel: str, cursor: str) -> list[Event]:
    found: list[Event] = []
    until_s = time.monotonic() + END_S
    async with http_client(stage) as http:
        while time.monotonic() < until_s:
            page = None
            with suppress(*BROKEN):
                page = await get_page(http, f"{broker.url}{API}/channels/{channel}/events", {"cursor": cursor})
            if page is None:
                await asyncio.sleep(LOOK_S)
                continue
            if not page["complete"] and channel != TRIMMED:
                history.remarks.append(f"{channel} is not complete: events before {page['oldest']} are gone")
            found += map(parse_event, page["events"])
            cursor = page["cursor"]
            if not page["has_more"]:
                return found
    history.remarks.append(f"the log of {channel} could not be read from broker {broker.program.name}")
    return found


def _memory(stage: Stage) -> dict[str, int]:
    return {broker.program.name: broker.program.rss_bytes for broker in stage.brokers}
