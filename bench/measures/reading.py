"""Reading: pages of the log, and a long log to one reader (goals 13 and 14)."""

import math
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from redis import Redis

from bench.apps.pages import FIELD, STREAM
from bench.cores import pin
from bench.event import BATCH_EVENTS, around_data, wire_event
from bench.load import Load
from bench.measures.measure import Measure, Variant
from bench.report import fault_of
from bench.rounds import Sample
from bench.samples import caught_up_sample, delivery_sample, request_sample, with_values
from bench.stage import Stage
from bench.target import Target
from bench.targets.apps import decode, plain
from bench.targets.limit import limit
from bench.targets.tidemark import EVENTS, PAGE_EVENTS, Tidemark, tidemark
from broker.storage.embedded import EmbeddedEngine

POLLERS = 32
FLOODERS = 16


def _page(stage: Stage) -> Mapping[str, Variant]:
    """Full pages of 100 events. Uncached: more distinct pages, in turn, than a bounded cache would keep."""
    return {
        "decode": partial(_decoded, stage),
        "tidemark": partial(_our_pages, stage, False),
        "plain": partial(_plain, stage),
        "tidemark-same": partial(_our_pages, stage, True),
    }


def _polls(stage: Stage, target: Target) -> Sample:
    load = stage.timed(Load(publishers=POLLERS))
    return request_sample(stage.run(target, load), target, stage.cores, PAGE_EVENTS)


def _plain(stage: Stage) -> Sample:
    with plain(stage) as target:
        return _polls(stage, target)


def _our_pages(stage: Stage, same: bool) -> Sample:
    with tidemark(stage, is_public=True) as server:
        cursor = server.cursor()
        fault = _fill(stage, server, stage.scale.history)
        if fault:
            return Sample(void=fault)
        cursors = _cursors(server, cursor, stage.scale.history)
        paths = tuple(f"{EVENTS}?cursor={each}&limit={PAGE_EVENTS}" for each in cursors)
        return _polls(stage, server.reading(paths[:1] if same else paths))


def _fill(stage: Stage, server: Tidemark, events: int) -> str:
    load = Load(publishers=1, seconds=120, count=events // BATCH_EVENTS)
    return fault_of(stage.run(server.batches_of(), load))


def _cursors(server: Tidemark, cursor: str, events: int) -> list[str]:
    """Every cursor that has a full page after it."""
    found = [cursor]
    while len(found) <= events - PAGE_EVENTS:
        found += [event["id"] for event in server.page(found[-1])["events"]]
    return found[: events - PAGE_EVENTS + 1]


def _decoded(stage: Stage) -> Sample:
    with tempfile.TemporaryDirectory(dir=stage.work) as data, EmbeddedEngine(Path(data)) as engine:
        pid = engine.pid
        pin([pid] if pid else [], stage.cores.client)
        cursors = _fill_stream(engine.url, stage.scale.history)
        with decode(stage, engine.url, cursors) as target:
            return _polls(stage, target)


def _fill_stream(url: str, events: int) -> tuple[str, ...]:
    """The same events in a stream of redis-py's; the stream ids that have a full page after them."""
    before, _ = around_data()
    stored = b"{" + wire_event()[before.index(b'"channel_id"') :]
    with Redis.from_url(url) as client:
        pipe = client.pipeline(transaction=False)
        for _ in range(events):
            pipe.xadd(STREAM, {FIELD: stored})
        ids = [stream_id.decode() for stream_id in pipe.execute()]
    return ("0-0", *ids[: events - PAGE_EVENTS])


def _replay(stage: Stage) -> Mapping[str, Variant]:
    """One reader from the beginning of a long log, beside the limit's sends per second."""
    return {"limit": partial(_sends, stage), "tidemark": partial(_replayed, stage)}


def _sends(stage: Stage) -> Sample:
    load = stage.timed(Load(stage.scale.connections, FLOODERS))
    with limit(stage) as target:
        return delivery_sample(stage.run(target, load), target, stage.cores)


def _replayed(stage: Stage) -> Sample:
    events = stage.scale.replayed
    with tidemark(stage) as server:
        cursor = server.cursor()
        fault = _fill(stage, server, events)
        if fault:
            return Sample(void=fault)
        target = server.replaying(cursor)
        sample = caught_up_sample(stage.run(target, Load(1, expect=events)), target, stage.cores)
    return with_values(sample, [("events_per_s", events / sample.values.get("seconds", math.nan))])


PAGE = Measure("page", f"pages of {PAGE_EVENTS} events over {POLLERS} connections", _page)
REPLAY = Measure("replay", "a long log to one reader", _replay)
