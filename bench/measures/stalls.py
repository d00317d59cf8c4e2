"""Readers that stop reading: what they cost the server, and what they cost the others (goal 15)."""

from collections.abc import Mapping
from functools import partial

from bench.load import Load
from bench.measures.measure import Measure, Variant
from bench.report import total
from bench.rounds import Sample
from bench.samples import delivery_sample, with_values
from bench.stage import Stage
from bench.targets.tidemark import tidemark

READERS = 50
STALLED = 10
EVENTS_PER_PUBLISH = 10
PUBLISHERS = 16
BEFORE = 0.1
AFTER = 0.2
KIB = 1024


def _stalled(stage: Stage) -> Mapping[str, Variant]:
    """The same run with and without a stall; what the log and the heap grow by in both is nobody's stall."""
    return {"tidemark": partial(_run, stage, 0), "tidemark-stalled": partial(_run, stage, STALLED)}


def _run(stage: Stage, stalled: int) -> Sample:
    stall_s = stage.scale.stall_s
    load = Load(
        READERS,
        PUBLISHERS,
        "paced",
        rate=stage.scale.stall_events_per_s / EVENTS_PER_PUBLISH,
        warm_s=stage.scale.warm_s,
        seconds=(BEFORE + 1 + AFTER) * stall_s,
        settle_s=stage.scale.settle_s,
        stalled=stalled,
        stall_after_s=BEFORE * stall_s,
        stall_for_s=stall_s,
    )
    with tidemark(stage) as server:
        target = server.batches_of(EVENTS_PER_PUBLISH)
        report = stage.run(target, load)
    growth = total(report.rss_resumed, target.servers) - total(report.rss_stalled, target.servers)
    sample = delivery_sample(report, target, stage.cores)
    # By each of ten in both runs, so that the difference is what one stalled reader costs.
    return with_values(sample, [("growth_kib", growth / KIB / STALLED)])


STALLED_READERS = Measure("stalled", f"{STALLED} of {READERS} readers stop reading for a while", _stalled)
