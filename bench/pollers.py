"""How many distinct URLs the pollers of one public channel ask for, and how many of their polls reach the broker.

    .venv/bin/python -m bench.pollers [--pollers 10000] [--interval 2] [--intervals 15] [--rates 0.2,1,10,50] [--seed 1]
                                      [--cache simulated|nginx|varnish]

Broker, engine and events are real. What pollers and publisher do, and when, is drawn beforehand from the seed; the
cache in front of the broker is simulated (`bench.shared_cache`) and goes by the same times, so that the result does not
depend on how busy this machine is. It supposes that answers take no time. `--cache nginx` and `--cache varnish` do the
same, one request after another, through real ones with the files of `deploy/` in real time: for a few hundred pollers.
Requests are counted where the broker gets them.

Pollers start at random moments of the first interval: two of five without a cursor, one with `since` (the moment of its
start, so each its own), two with the cursor of a random one of the 500 events that are there already. They follow
`has_more` after a tenth of a second and else poll again after the interval, give or take a tenth of it.
"""

import argparse
import asyncio
import heapq
import logging
import os
import platform
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from bench.shared_cache import RealCache, SimulatedCache
from broker.ids import render_time
from tests.broker_server import API, BrokerServer, running_broker
from tests.edge.caches import running_cache
from tests.edge.origin import Origin
from tests.engines import running_engine

SIMULATED = "simulated"
CHANNEL = "bench"
EVENTS = f"{API}/channels/{CHANNEL}/events"
KNOWN_EVENTS = 500
JITTER = 0.1
AT_ONCE_S = 0.1
SHOWN = (1, 2, 3, 5, 10, 15, 30)
PUBLISH = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A broker with KNOWN_EVENTS events in it, and the cache that its pollers read through."""

    server: BrokerServer
    origin: Origin
    cache: SimulatedCache | RealCache
    known: list[str]


@dataclass(slots=True)
class Interval:
    """What was asked for in one interval, and how many of these polls reached the broker."""

    urls: Counter[str]
    at_broker: int = 0


async def run(stage: Stage, rate: float, asked: argparse.Namespace) -> list[Interval]:
    """Let the pollers poll while `rate` events a second are published; what happened in each interval."""
    chance = random.Random(asked.seed)
    intervals = [Interval(Counter()) for _ in range(asked.intervals)]
    due = [(chance.uniform(0, asked.interval), first_target(chance, stage.known)) for _ in range(asked.pollers)]
    due.append((chance.expovariate(rate), PUBLISH))
    heapq.heapify(due)
    began_s = time.monotonic()
    while due[0][0] < asked.interval * asked.intervals:
        now_s, target = heapq.heappop(due)
        if asked.cache != SIMULATED:
            await asyncio.sleep(began_s + now_s - time.monotonic())
        if target == PUBLISH:
            await stage.server.publish(CHANNEL, {"at": now_s})
            heapq.heappush(due, (now_s + chance.expovariate(rate), PUBLISH))
            continue
        before = len(stage.origin.asked)
        page = await stage.cache.get(target, now_s)
        interval = intervals[int(now_s / asked.interval)]
        interval.urls[target] += 1
        interval.at_broker += len(stage.origin.asked) - before
        pause_s = AT_ONCE_S if page.has_more else asked.interval * chance.uniform(1 - JITTER, 1 + JITTER)
        heapq.heappush(due, (now_s + pause_s, f"{EVENTS}?cursor={page.cursor}"))
    return intervals


def first_target(chance: random.Random, known: list[str]) -> str:
    """How a poller begins that knows nothing, only its clock, or an event of some time ago."""
    since = render_time(int(time.time() * 1000) + chance.randrange(2000))
    cursors = [f"?cursor={chance.choice(known)}" for _ in range(2)]
    return EVENTS + chance.choice(["", "", f"?since={since}", *cursors])


@asynccontextmanager
async def staged(cache: str, interval_s: int) -> AsyncIterator[Stage]:
    """A broker of its own, behind a cache that knows nothing yet."""
    origin = Origin()
    settings: dict[str, dict[str, Any]] = {
        "channels": {"poll_interval_s": interval_s},
        "server": {"trusted_proxies": ["127.0.0.1/32"]},
    }
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engine = stack.enter_context(running_engine(directory / "engine"))
        key_file = directory / "signing_key.json"
        server = await stack.enter_async_context(running_broker(engine.url, key_file, settings, around=origin.around))
        url = server.url
        if cache != SIMULATED:
            url = stack.enter_context(running_cache(cache, server.port, directory)).url
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60))
        await server.create(CHANNEL)
        known = [
            event["id"] for _ in range(KNOWN_EVENTS // 100) for event in await server.publish(CHANNEL, *range(100))
        ]
        yield Stage(server, origin, SimulatedCache(http) if cache == SIMULATED else RealCache(http), known)


async def measured(rate: float, asked: argparse.Namespace) -> list[Interval]:
    """The intervals of one rate, on a broker of its own."""
    async with staged(asked.cache, asked.interval) as stage:
        return await run(stage, rate, asked)


def main() -> None:
    """Measure each rate and print a row of the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pollers", type=int, default=10_000)
    parser.add_argument("--interval", type=int, default=2, help="seconds: s-maxage, and how often a poller polls")
    parser.add_argument("--intervals", type=int, default=15, help="how long, in intervals")
    parser.add_argument("--rates", default="0.2,1,10,50", help="events a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", default=SIMULATED, choices=[SIMULATED, "nginx", "varnish"])
    asked = parser.parse_args()
    logging.disable()  # each broker is ended without a drain
    shown = [number for number in SHOWN if number <= asked.intervals]
    print(f"{asked.pollers} pollers, poll interval {asked.interval} s, cache: {asked.cache}, seed {asked.seed}")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print("events/s | distinct URLs in interval " + " ".join(f"{number:>5}" for number in shown) + end_of_head())
    for rate in map(float, asked.rates.split(",")):
        intervals = asyncio.run(measured(rate, asked))
        urls = " ".join(f"{len(intervals[number - 1].urls):>5}" for number in shown)
        print(f"{rate:>8g} | {'':26}{urls}{row_end(intervals)}", flush=True)


def end_of_head() -> str:
    """The names of the columns that tell of the second half of the time."""
    return " | polls/interval  at the broker  on the first URL"


def row_end(intervals: list[Interval]) -> str:
    """Means over the second half: polls, polls that reached the broker, and the share of the most asked URL."""
    late = intervals[len(intervals) // 2 :]
    polls = sum(interval.urls.total() for interval in late)
    at_broker = sum(interval.at_broker for interval in late)
    on_first = sum(interval.urls.most_common(1)[0][1] for interval in late)
    return f" | {polls / len(late):>14.0f} {at_broker / len(late):>14.1f} {on_first / polls:>16.0%}"


if __name__ == "__main__":
    main()
