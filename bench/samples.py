"""From the report of a run to the figures that the table compares. Pure."""

from collections.abc import Iterable

from bench.cores import Cores
from bench.histogram import Histogram
from bench.report import Busy, Report, fault_of, total
from bench.rounds import Sample
from bench.target import Target

NS_PER_MS = 1e6


def delivery_sample(report: Report, target: Target, cores: Cores) -> Sample:
    """Deliveries to subscribers: their rate, the server's CPU time for each, and how late they were."""
    window = report.window
    fault = fault_of(report)
    if fault or window is None:
        return Sample(void=fault or report.trouble or "nothing was published")
    values = {
        "deliveries_per_s": _over(window.deliveries, window.seconds),
        "cpu_us": _over(total(window.used.cpu_us, target.servers), window.all_deliveries),
        "user_us": _over(total(window.user_us, target.servers), window.all_deliveries),
        **_percentiles(window.delivery),
        "answer_p50_ms": window.answer.percentile(50) / NS_PER_MS,
        "events_per_read": _over(window.all_deliveries, window.reads),
        **shares(window.used, target, cores),
    }
    return Sample(values)


def request_sample(report: Report, target: Target, cores: Cores, events: int = 1) -> Sample:
    """Requests and their answers: the rate, the server's CPU time for each, and how long they took."""
    window = report.window
    fault = fault_of(report)
    if fault or window is None:
        return Sample(void=fault or report.trouble or "nothing was asked for")
    values = {
        "requests_per_s": _over(window.answers, window.seconds),
        "events_per_s": _over(window.answers * events, window.seconds),
        "cpu_us": _over(total(window.used.cpu_us, target.servers), window.all_answers),
        **_percentiles(window.answer),
        **shares(window.used, target, cores),
    }
    return Sample(values)


def caught_up_sample(report: Report, target: Target, cores: Cores) -> Sample:
    """Readers that came with a cursor: how long until each, and all, had everything."""
    fault = fault_of(report, caught_up=report.subscribers)
    if fault:
        return Sample(void=fault)
    values = {
        "seconds": report.caught_up_seconds,
        "cpu_us": total(report.caught_up_used.cpu_us, target.servers) / report.subscribers,
        **_percentiles(report.caught_up),
        **shares(report.caught_up_used, target, cores),
    }
    return Sample(values)


def shares(used: Busy, target: Target, cores: Cores) -> dict[str, float]:
    """How much of its core the server had, and the client (with the engine), and how much others took of each.

    A run counts as measuring the server only where the client's core had room, and `others` is small.
    """
    server = total(used.cpu_us, target.servers)
    client = used.client_us + total(used.cpu_us, target.engines)
    values = {"server_core": _over(server, used.wall_us), "client_core": _over(client, used.wall_us)}
    if cores.are_apart and max(cores.server, cores.client) < len(used.cores_us):
        ours = {cores.server: server, cores.client: client}
        taken = [max(0, sum(used.cores_us[core]) - ours[core]) for core in ours]
        values["others"] = _over(max(taken), used.wall_us)
    return values


def with_values(sample: Sample, more: Iterable[tuple[str, float]]) -> Sample:
    """The sample with further values, unless it is void."""
    return sample if sample.void else Sample({**sample.values, **dict(more)})


def _percentiles(histogram: Histogram) -> dict[str, float]:
    named = {"p50_ms": 50, "p99_ms": 99, "p999_ms": 99.9}
    return {name: histogram.percentile(percent) / NS_PER_MS for name, percent in named.items()}


def _over(amount: float, number: float) -> float:
    return amount / number if number else float("nan")
