"""Every measure, in the order of the table."""

from bench.measures.connections import IDLE, STORM
from bench.measures.delivery import CHANNELS, FANOUT, FLOOD, LATENCY, STREAM
from bench.measures.lateness import LATENESS
from bench.measures.measure import Measure
from bench.measures.publish import PUBLISH
from bench.measures.reading import PAGE, REPLAY
from bench.measures.stalls import STALLED_READERS

MEASURES: tuple[Measure, ...] = (
    FANOUT, LATENCY, FLOOD, STREAM, IDLE, PUBLISH, PAGE, REPLAY, STALLED_READERS, STORM, CHANNELS,
    LATENESS,
)  # fmt: skip
