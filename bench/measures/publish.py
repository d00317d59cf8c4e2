"""Publishes: how many, how late, and what the engine pays (goals 10 to 12 and 16)."""

from collections.abc import Mapping
from functools import partial

from bench.event import BATCH_EVENTS
from bench.load import Load
from bench.measures.measure import Measure, Variant
from bench.report import Report, fault_of
from bench.rounds import Sample
from bench.samples import request_sample, with_values
from bench.stage import Stage
from bench.targets.apps import raw
from bench.targets.tidemark import Tidemark, tidemark

PUBLISHERS = 64


def _publish(stage: Stage) -> Mapping[str, Variant]:
    """A closed loop of keep-alive connections; nobody reads, and afterwards the log is checked for every event."""
    load = stage.timed(Load(publishers=PUBLISHERS))
    return {
        "raw": partial(_theirs, stage, load),
        "tidemark": partial(_ours, stage, load, 1),
        "tidemark-batch": partial(_ours, stage, load, BATCH_EVENTS),
    }


def _theirs(stage: Stage, load: Load) -> Sample:
    with raw(stage) as target:
        return request_sample(stage.run(target, load), target, stage.cores)


def _ours(stage: Stage, load: Load, events: int) -> Sample:
    with tidemark(stage) as server:
        target = server.target if events == 1 else server.batches_of(events)
        cursor, before_us = server.cursor(), server.engine_us()
        report = stage.run(target, load)
        engine_us = server.engine_us() - before_us
        sample = request_sample(report, target, stage.cores, events)
        if sample.void:
            return sample
        fault = _fault_of_log(stage, server, cursor, report, events)
        if fault:
            return Sample(void=fault)
        return with_values(sample, [("engine_us", engine_us / (report.requests_sent * events))])


def _fault_of_log(stage: Stage, server: Tidemark, cursor: str, report: Report, events: int) -> str:
    """What is wrong with the log: everything acknowledged must be in it once, each publisher's in its order."""
    load = Load(1, expect=report.requests_sent * events, lines=PUBLISHERS)
    fault = fault_of(stage.run(server.replaying(cursor), load), caught_up=1)
    return f"the log is not what was published: {fault}" if fault else ""


PUBLISH = Measure("publish", f"publishes over {PUBLISHERS} connections", _publish)
