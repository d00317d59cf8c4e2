"""Deliveries: what one costs, how late it is, and how many there can be (goals 1 to 7)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from bench.load import Load
from bench.measures.measure import Measure, Variant
from bench.peers import Start, broadcasters, starts_of
from bench.rounds import Sample
from bench.samples import delivery_sample
from bench.stage import Stage
from bench.target import Target
from bench.targets.apps import stock
from bench.targets.limit import limit
from bench.targets.nchan import nchan
from bench.targets.tidemark import tidemark

LATENCY_RATE = 50
LATENCY_PUBLISHERS = 8
STREAM_RATE = 1_000
STREAM_PUBLISHERS = 64
CHANNELS_RATE = 500


def _fanout(stage: Stage) -> Mapping[str, Variant]:
    """One event at a time reaches everybody before the next, so that no server can join two in a write."""
    load = stage.timed(Load(stage.scale.connections, 1, "lockstep"))
    starts: dict[str, Start] = {"limit": limit, "tidemark": ours, "stock": stock, **broadcasters(stage)}
    return _variants(stage, starts, load)


def _latency(stage: Stage) -> Mapping[str, Variant]:
    """A fixed moderate rate; twice as long as other runs, as a p99 needs events."""
    load = stage.timed(Load(stage.scale.connections, LATENCY_PUBLISHERS, "paced", rate=LATENCY_RATE), times=2)
    starts: dict[str, Start] = {"limit": limit, "tidemark": ours, **broadcasters(stage)}
    return _variants(stage, starts, load)


def _flood(stage: Stage) -> Mapping[str, Variant]:
    """As much as publishers in a closed loop can get through; servers may join what is due together."""
    many = stage.timed(Load(stage.scale.connections, 16))
    few = replace(many, publishers=4)
    variants = dict(_variants(stage, {"limit": limit, "tidemark": ours}, many))
    for name, start in {"tidemark": ours, **starts_of(stage, ["nchan"])}.items():
        variants[f"{name}-4"] = partial(_run, stage, start, few)
    return variants


def _stream(stage: Stage) -> Mapping[str, Variant]:
    """A rate that nobody reaches with one write per event and reader."""
    load = stage.timed(Load(stage.scale.connections, STREAM_PUBLISHERS, "paced", rate=STREAM_RATE))
    starts: dict[str, Start] = {"tidemark": ours, **starts_of(stage, ["nats"])}
    return _variants(stage, starts, load)


def _channels(stage: Stage) -> Mapping[str, Variant]:
    """Many channels with one subscriber each, published to in turn; twice as long, as each event is one delivery."""
    many = stage.scale.many
    publishers = min(STREAM_PUBLISHERS, many)
    load = stage.timed(Load(many, publishers, "paced", rate=CHANNELS_RATE), times=2)
    starts: dict[str, Start] = {"tidemark": partial(_our_channels, channels=many)}
    if "nchan" in stage.peers:
        starts["nchan"] = partial(nchan, channels=many)
    return _variants(stage, starts, load)


@contextmanager
def _our_channels(stage: Stage, channels: int) -> Iterator[Target]:
    with tidemark(stage, channels=channels) as server:
        yield server.across


@contextmanager
def ours(stage: Stage) -> Iterator[Target]:
    """Tidemark on a private channel: every reader and every publish shows a token."""
    with tidemark(stage) as server:
        yield server.target


def _variants(stage: Stage, starts: Mapping[str, Start], load: Load) -> dict[str, Variant]:
    return {name: partial(_run, stage, start, load) for name, start in starts.items()}


def _run(stage: Stage, start: Start, load: Load) -> Sample:
    with start(stage) as target:
        return delivery_sample(stage.run(target, load), target, stage.cores)


FANOUT = Measure("fanout", "CPU per delivery, one event at a time to all readers", _fanout)
LATENCY = Measure("latency", f"HTTP publish to delivery at {LATENCY_RATE} events/s", _latency)
FLOOD = Measure("flood", "deliveries/s with publishers in a closed loop", _flood)
CHANNELS = Measure("channels", f"one subscriber each, {CHANNELS_RATE} events/s over all of them", _channels)
STREAM = Measure("stream", f"latency at {STREAM_RATE:,} events/s", _stream)
