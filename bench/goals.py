"""The goals of performance.md, section 13, as a table: what is measured, what it must reach, what it aims at. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from bench.rounds import Outcome, Value, beyond, over, take

OURS = "tidemark"


class Bound(NamedTuple):
    """A limit that a figure must not fall below (`at_least`) or exceed."""

    at_least: bool
    limit: float

    def holds(self, value: float) -> bool:
        """Whether the value keeps to it."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `row` is the goal's number, '' for a figure without a goal.

    L1 and L2 are no goals of performance.md: how late scheduled webhooks may be, which issue 6 asks for.
    """

    row: str
    measure: str
    text: str
    value: Value
    must: Bound | None = None
    aim: Bound | None = None


def at_least(limit: float) -> Bound:
    """A floor."""
    return Bound(True, limit)


def at_most(limit: float) -> Bound:
    """A ceiling."""
    return Bound(False, limit)


def verdict(figure: Figure, outcome: Outcome) -> str:
    """`aim`, `must` or `MISSED`, by the median; `-` without a goal.

    Without a value it is `MISSED` where our own runs are void, and `not measured` where others' are.
    """
    if figure.must is None or figure.aim is None:
        return "-"
    if outcome.spread is None:
        return "MISSED" if any(reason.startswith(OURS) for reason in outcome.missing) else "not measured"
    middle = outcome.spread.middle
    if figure.aim.holds(middle):
        return "aim"
    return "must" if figure.must.holds(middle) else "MISSED"


FIGURES = (
    Figure("1", "fanout", "CPU per delivery, one event a write: the limit's / ours",
           over("limit.cpu_us", "tidemark.cpu_us"), at_least(0.60), at_least(0.75)),
    Figure("2a", "fanout", "CPU per delivery: stock's / ours",
           over("stock.cpu_us", "tidemark.cpu_us"), at_least(1.5), at_least(1.9)),
    Figure("2b", "fanout", "CPU per delivery: Nchan's / ours",
           over("nchan.cpu_us", "tidemark.cpu_us"), at_least(1.0), at_least(1.2)),
    Figure("3a", "latency", "HTTP publish to delivery, p50: ours / the limit's",
           over("tidemark.p50_ms", "limit.p50_ms"), at_most(2.2), at_most(1.8)),
    Figure("3b", "latency", "the same, p99", over("tidemark.p99_ms", "limit.p99_ms"), at_most(2.5), at_most(1.7)),
    Figure("4a", "latency", "p50: ours / Nchan's", over("tidemark.p50_ms", "nchan.p50_ms"), at_most(1.3), at_most(1.0)),
    Figure("4b", "latency", "p99: ours / Nchan's", over("tidemark.p99_ms", "nchan.p99_ms"), at_most(1.3), at_most(1.0)),
    Figure("5", "flood", "deliveries/s with 16 publishers: ours / the limit's",
           over("tidemark.deliveries_per_s", "limit.deliveries_per_s"), at_least(5), at_least(12)),
    Figure("", "flood", "the same by CPU per delivery: the limit's / ours", over("limit.cpu_us", "tidemark.cpu_us")),
    Figure("6", "flood", "deliveries/s with 4 publishers: ours / Nchan's",
           over("tidemark-4.deliveries_per_s", "nchan-4.deliveries_per_s"), at_least(3), at_least(10)),
    Figure("7", "stream", "p50 at 1,000 events/s: ours / NATS's",
           over("tidemark.p50_ms", "nats.p50_ms"), at_most(1.0), at_most(0.5)),
    Figure("8a", "idle", "memory per idle subscriber: ours / stock's",
           over("tidemark.rss_bytes", "stock.rss_bytes"), at_most(0.25), at_most(0.15)),
    Figure("8b", "idle", "memory per idle subscriber: ours / Nchan's",
           over("tidemark.rss_bytes", "nchan.rss_bytes"), at_most(0.6), at_most(0.35)),
    Figure("9", "idle", "CPU per handshake, without credentials: ours / stock's",
           over("tidemark.handshake_us", "stock.handshake_us"), at_most(0.6), at_most(0.4)),
    Figure("10", "publish", "publishes/s, 64 connections: ours / raw ASGI without an engine",
           over("tidemark.requests_per_s", "raw.requests_per_s"), at_least(0.45), at_least(0.7)),
    Figure("", "publish", "the same by CPU per publish: raw / ours", over("raw.cpu_us", "tidemark.cpu_us")),
    Figure("11", "publish", "publish p99 / p50", over("tidemark.p99_ms", "tidemark.p50_ms"), at_most(4), at_most(2.5)),
    Figure("12", "publish", "events/s in batches of 100 / single publishes/s",
           over("tidemark-batch.events_per_s", "tidemark.events_per_s"), at_least(6), at_least(8)),
    Figure("13a", "page", "pages/s, each another one: ours / decode and encode",
           over("tidemark.requests_per_s", "decode.requests_per_s"), at_least(1.1), at_least(1.4)),
    Figure("", "page", "the same by CPU per page: theirs / ours", over("decode.cpu_us", "tidemark.cpu_us")),
    Figure("13b", "page", "pages/s, one page: ours / raw ASGI plain text",
           over("tidemark-same.requests_per_s", "plain.requests_per_s"), at_least(0.5), at_least(0.65)),
    Figure("", "page", "the same by CPU per page: plain text / ours", over("plain.cpu_us", "tidemark-same.cpu_us")),
    Figure("14", "replay", "events/s to one reader / the limit's sends/s",
           over("tidemark.events_per_s", "limit.deliveries_per_s"), at_least(1.0), at_least(2.0)),
    Figure("15a", "stalled", "memory per stalled reader beyond the log, KiB",
           beyond("tidemark-stalled.growth_kib", "tidemark.growth_kib"), at_most(512), at_most(256)),
    Figure("15b", "stalled", "p99 of the others: with stalled readers / without",
           over("tidemark-stalled.p99_ms", "tidemark.p99_ms"), at_most(3), at_most(1.5)),
    Figure("16a", "publish", "engine CPU per publish, us", take("tidemark.engine_us"), at_most(12), at_most(8)),
    Figure("16b", "publish", "engine CPU per event in batches of 100, us",
           take("tidemark-batch.engine_us"), at_most(5), at_most(3.5)),
    Figure("", "storm", "all clients are back and caught up: ours / the limit's seconds",
           over("tidemark.seconds", "limit.seconds")),
    Figure("", "storm", "the same: ours / Nchan's", over("tidemark.seconds", "nchan.seconds")),
    Figure("", "channels", "one subscriber a channel, CPU per event: Nchan's / ours",
           over("nchan.cpu_us", "tidemark.cpu_us")),
    Figure("", "channels", "the same, p99: ours / Nchan's", over("tidemark.p99_ms", "nchan.p99_ms")),
    Figure("L1", "lateness", "scheduled webhooks, from scheduled_at to the receiver, p50, ms",
           take("tidemark.p50_ms"), at_most(3), at_most(3)),
    Figure("L2", "lateness", "the same, p99, ms", take("tidemark.p99_ms"), at_most(30), at_most(30)),
)  # fmt: skip
