"""What a run found, as text and as JSON. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.table import markdown
from soak.checker import Verdict
from soak.figures import Felt, Latency

SHOWN = 5


def render_felt(felt: Sequence[Felt]) -> str:
    """The table of faults: the worst of each kind, in seconds."""
    head = ("fault", "times", "length", "no ack", "silence", "back after", "own lag")
    rows = []
    for each in felt:
        times = (each.length_s, each.no_ack_s, each.silence_s, each.back_s, each.own_s)
        rows.append((each.name, str(each.times), *map(seconds, times)))
    return markdown([head, *rows])


def render_verdict(verdict: Verdict, memory: Mapping[str, tuple[int, int]]) -> str:
    """The counts, in two tables: what there was, and what of it was wrong."""
    counted = [
        ("acknowledged events", f"{verdict.acknowledged:,}"),
        ("in publishes", f"{verdict.published:,}"),
        ("of which tried more than once", f"{verdict.retried:,}"),
        ("events in the logs at the end", f"{verdict.stored:,}"),
        ("events read", f"{verdict.read:,}"),
        ("by readers", f"{verdict.readings:,}"),
        ("trimmed before they were read, and declared", f"{verdict.declared:,}"),
        ("messages of the live feed that were dropped", f"{verdict.dropped:,}"),
        *(
            (f"memory of broker {name}, MiB", f"{first >> 20} -> {last >> 20}")
            for name, (first, last) in memory.items()
        ),
    ]
    wrong = [(kind, f"{count:,}") for kind, count in verdict.counts.items()]
    return markdown([("", "number"), *counted]) + "\n\n" + markdown([("violation", "number"), *wrong])


def render_latencies(outside: Latency, inside: Latency) -> str:
    """How long publishes took."""
    rows = [
        (name, f"{each.publishes:,}", *(f"{value:.1f}" for value in (each.p50_ms, each.p99_ms, each.most_ms)))
        for name, each in (("outside faults", outside), ("while a fault was felt", inside))
    ]
    return markdown([("publish answered", "publishes", "p50 ms", "p99 ms", "longest ms"), *rows])


def render_violations(verdict: Verdict) -> str:
    """The first violations of each kind, a line each; empty where there are none."""
    lines = []
    for kind, count in verdict.counts.items():
        found = [each.text for each in verdict.violations if each.kind == kind]
        lines += [f"{kind}: {text}" for text in found[:SHOWN]]
        lines += [f"{kind}: and {count - SHOWN} more"] if count > SHOWN else []
    return "\n".join(lines)


def as_json(
    verdict: Verdict, felt: Sequence[Felt], latency: tuple[Latency, Latency], memory: Mapping[str, tuple[int, int]]
) -> dict[str, Any]:
    """The same as values, with every violation."""
    return {
        **{name: value for name, value in verdict._asdict().items() if name != "violations"},
        "violations": verdict.counts,
        "violations_told": [each._asdict() for each in verdict.violations],
        "faults": [each._asdict() for each in felt],
        "publish_outside_faults": latency[0]._asdict(),
        "publish_in_faults": latency[1]._asdict(),
        "rss_bytes": {name: {"start": first, "end": last} for name, (first, last) in memory.items()},
    }


def seconds(value: float | None) -> str:
    """Seconds with two digits behind the point; a dash for what is not known."""
    return "-" if value is None else f"{value:.2f}"
