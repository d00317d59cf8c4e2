"""Connections: what an idle one costs, and how fast many come back (goals 8 and 9, and the storm)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from bench.event import BATCH_EVENTS
from bench.load import Load
from bench.measures.measure import Measure, Variant
from bench.peers import Start, broadcasters
from bench.report import fault_of, total
from bench.rounds import Sample
from bench.samples import caught_up_sample
from bench.stage import Stage
from bench.target import Target
from bench.targets.apps import stock
from bench.targets.limit import limit
from bench.targets.nchan import nchan
from bench.targets.tidemark import tidemark

STORM_EVENTS = 100
STORM_OPENING = 1_000


def _idle(stage: Stage) -> Mapping[str, Variant]:
    """Connect many, wait, and weigh the server."""
    starts: dict[str, Start] = {"tidemark": ours, "stock": stock, **broadcasters(stage)}
    return {name: partial(_weigh, stage, start) for name, start in starts.items()}


def _weigh(stage: Stage, start: Start) -> Sample:
    load = Load(stage.scale.many, idle_s=stage.scale.idle_s)
    with start(stage) as target:
        report = stage.run(target, load)
    fault = fault_of(report)
    if fault:
        return Sample(void=fault)
    growth = total(report.rss_idle, target.servers) - total(report.rss_start, target.servers)
    values = {
        "rss_bytes": growth / load.subscribers,
        "handshake_us": total(report.subscribe_cpu_us, target.servers) / load.subscribers,
    }
    return Sample(values)


def _storm(stage: Stage) -> Mapping[str, Variant]:
    """Many clients come back at once, each with the cursor it had before the newest events."""
    variants: dict[str, Variant] = {
        "tidemark": partial(_our_storm, stage),
        "limit": partial(_their_storm, stage, partial(limit, path="/replay")),
    }
    if "nchan" in stage.peers:
        variants["nchan"] = partial(_their_storm, stage, partial(nchan, door="replay"))
    return variants


def _our_storm(stage: Stage) -> Sample:
    with tidemark(stage) as server:
        cursor = server.cursor()
        fault = fault_of(stage.run(server.batches_of(BATCH_EVENTS), _history(STORM_EVENTS // BATCH_EVENTS)))
        return Sample(void=fault) if fault else _return_all(stage, server.replaying(cursor))


def _their_storm(stage: Stage, start: Start) -> Sample:
    with start(stage) as target:
        fault = fault_of(stage.run(target, _history(STORM_EVENTS)))
        return Sample(void=fault) if fault else _return_all(stage, target)


def _history(requests: int) -> Load:
    return Load(publishers=1, seconds=60, count=requests)


def _return_all(stage: Stage, target: Target) -> Sample:
    load = Load(stage.scale.many, opening=STORM_OPENING, expect=STORM_EVENTS, patience_s=120)
    return caught_up_sample(stage.run(target, load), target, stage.cores)


@contextmanager
def ours(stage: Stage) -> Iterator[Target]:
    """Tidemark on a public channel, without credentials, as the others have none."""
    with tidemark(stage, is_public=True) as server:
        yield replace(server.target, requests=None)


IDLE = Measure("idle", "memory and CPU of connections that wait", _idle)
STORM = Measure("storm", f"many clients reconnect, each {STORM_EVENTS} events behind", _storm)
