"""What each part of a process tells the meter: the part's own counts under the names of the catalogue."""

import platform
import time
from collections.abc import Callable, Iterator

from broker.closing import CURSOR_EXPIRED, DELETED, FORBIDDEN, LAGGING, NOT_VOUCHED, RESTART, TOKEN_EXPIRED
from broker.hub import Hub
from broker.scheduler import Scheduler
from broker.storage.appender import Appender
from broker.storage.channels import Channels
from broker.storage.feeds import LiveFeed
from broker.storage.lifetimes import Lifetimes
from broker.storage.retention import Trimmer
from broker.storage.scripts import all_scripts
from broker.webhooks import Webhooks
from handlers.calendar.imports.syncing import Syncs
from handlers.cuey.calling import Calls
from handlers.metrics import catalogue as names
from handlers.metrics.meter import Meter, Reading
from handlers.metrics.probe import Probe
from handlers.metrics.process import Cpu, resident_bytes
from handlers.metrics.requests import READERS
from handlers.openapi import VERSION
from handlers.serving.gate import Gate
from handlers.serving.refusals import Kind

ENDS = (DELETED, RESTART, NOT_VOUCHED, TOKEN_EXPIRED, FORBIDDEN, LAGGING, CURSOR_EXPIRED)
"""The ends that are shown from the start, so that a rate of them is one from the first."""


def read_gate(gate: Gate) -> Iterator[Reading]:
    """Connections, and what the edge refuses."""
    yield names.CONNECTIONS_OPEN, (), gate.admission.open
    yield names.CONNECTIONS_LIMIT, (), gate.limits.connections
    yield names.CONNECTIONS, (), gate.admission.admitted
    counts = gate.refusals.counts()
    for kind in Kind:
        yield names.EDGE_REFUSALS, (kind.value,), counts[kind.value]


def read_meter(meter: Meter) -> Iterator[Reading]:
    """What the meter itself counts: requests, the loop, garbage collection."""
    for answered, count in meter.requests.answers.items():
        yield names.REQUESTS, (answered.method, answered.route, str(answered.status)), count
    for route, seconds in meter.requests.seconds.items():
        yield names.REQUEST_SECONDS, (route,), seconds
    for reader in READERS:
        yield names.READERS_OPEN, (reader,), meter.requests.open[reader]
    yield names.LOOP_LAG_SECONDS, (), meter.loop_lag
    for generation, pauses in enumerate(meter.gc_pauses.by_generation):
        yield names.GC_PAUSE_SECONDS, (str(generation),), pauses


def read_hub(hub: Hub, feed: LiveFeed) -> Iterator[Reading]:
    """Readers, and the live feed that brings them events."""
    counts = hub.counts
    channels, subscriptions = hub.watching()
    yield names.CHANNELS_WATCHED, (), channels
    yield names.SUBSCRIPTIONS_OPEN, (), subscriptions
    for code in {reason.code for reason in ENDS} | counts.ends.keys():
        yield names.SUBSCRIPTION_ENDS, (str(code),), counts.ends[code]
    yield names.DELIVERIES, (), counts.delivered
    yield names.CATCH_UPS, (), counts.catch_ups
    yield names.FEED_UP, (), feed.is_live
    yield names.FEED_CONNECTS, (), counts.connects
    yield names.FEED_MESSAGES, (), counts.heard
    yield names.FEED_LAG_SECONDS, (), counts.lag
    yield names.FEED_MENDS, (), counts.mends
    yield names.POSITION_CHECKS, (), counts.checks
    yield names.POSITION_LOSSES, (), counts.losses


def read_storage(appender: Appender, channels: Channels, trimmer: Trimmer) -> Iterator[Reading]:
    """What is stored, removed and looked up."""
    counts = appender.counts
    yield names.PUBLISHES, (), counts.publishes
    yield names.EVENTS, (), counts.events
    yield names.REPLAYS, (), counts.replays
    yield names.APPEND_PUBLISHES, (), counts.calls
    yield names.TRIMMED, (), trimmer.removed
    yield names.RECORD_LOOKUPS, ("hit",), channels.hits
    yield names.RECORD_LOOKUPS, ("miss",), channels.misses
    for script in all_scripts():
        yield names.SCRIPT_SECONDS, (script.name,), script.times


def read_timers(scheduler: Scheduler, lifetimes: Lifetimes) -> Iterator[Reading]:
    """What is done at its time: timers, and the end of documents."""
    counts = scheduler.counts
    for outcome, count in (("done", counts.fired), ("fenced", counts.fenced), ("failed", counts.failed)):
        yield names.TIMERS, (outcome,), count
    yield names.TIMER_LATE_SECONDS, (), counts.late
    yield names.EXPIRED, (), lifetimes.removed


def read_webhooks(webhooks: Webhooks) -> Iterator[Reading]:
    """What became of attempts to deliver to webhooks."""
    yield names.DELIVERY_ATTEMPTS, ("taken",), webhooks.sent
    yield names.DELIVERY_ATTEMPTS, ("failed",), webhooks.failed


def read_calls(calls: Calls) -> Iterator[Reading]:
    """What became of calls of scheduled webhooks."""
    yield names.CALLS, ("succeeded",), calls.succeeded
    yield names.CALLS, ("failed",), calls.failed


def read_syncs(syncs: Syncs) -> Iterator[Reading]:
    """What became of polls of iCal subscriptions."""
    for outcome, count in (("merged", syncs.merged), ("unchanged", syncs.unchanged), ("failed", syncs.failed)):
        yield names.ICAL_POLLS, (outcome,), count


def read_probe(probe: Probe) -> Iterator[Reading]:
    """How the engine is."""
    yield names.ENGINE_UP, (), probe.is_up
    yield names.ENGINE_REPLY_SECONDS, (), probe.replies
    vitals = probe.vitals
    if vitals is not None:
        yield names.ENGINE_CLOCK, (), abs(vitals.clock_ahead_s)
        yield names.ENGINE_MEMORY, (), vitals.memory_bytes
        yield names.ENGINE_MEMORY_LIMIT, (), vitals.memory_limit_bytes
        yield names.ENGINE_PERSISTS, (), vitals.persists


def reader_of_process(is_draining: Callable[[], bool]) -> Callable[[], Iterator[Reading]]:
    """What the process uses, and what it is; it counts as started now."""
    cpu, started = Cpu(), time.time()

    def read() -> Iterator[Reading]:
        cpu.look()
        yield names.PROCESSES, (), 1
        yield names.DRAINING, (), is_draining()
        yield names.STARTED, (), started
        yield names.CPU_SECONDS, (), cpu.seconds
        yield names.CPU_BUSIEST, (), cpu.ratio
        yield names.RESIDENT, (), resident_bytes()
        yield names.BUILD, (VERSION, platform.python_version()), 1

    return read
