"""The result as text: the ratios with their goals, and beneath them what they were made of. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence

from bench.goals import FIGURES, Figure, verdict
from bench.rounds import Outcome, Round, highest, names_of, outcome_of, take

COLUMNS = {
    "deliveries_per_s": "deliveries/s",
    "requests_per_s": "requests/s",
    "events_per_s": "events/s",
    "cpu_us": "us CPU each",
    "user_us": "in user space",
    "engine_us": "us engine CPU per event",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "p999_ms": "p99.9 ms",
    "answer_p50_ms": "publish answered, p50 ms",
    "events_per_read": "events per read",
    "rss_bytes": "bytes per connection",
    "handshake_us": "us CPU per handshake",
    "seconds": "s until all caught up",
    "growth_kib": "KiB growth by stalled reader",
    "server_core": "server's core",
    "client_core": "client's core",
    "others": "taken by others",
}
"""The values of a run, in the order in which they are shown."""

DISTURBED = 0.1
DOUBTS = (
    ("others", DISTURBED, "others took up to so much of a core:"),
    ("client_core", 0.9, "the load client's core was busy up to"),
)


def render_table(results: Mapping[str, Sequence[Round]]) -> str:
    """The table of ratios, one line a figure, in Markdown; `results` are the rounds of each measure."""
    rows: list[tuple[str, ...]] = [("goal", "figure", "median", "min - max", "rounds", "must", "aim", "reached")]
    reasons: dict[str, list[str]] = {}
    for figure in FIGURES:
        if figure.measure in results:
            outcome = outcome_of(figure.value, results[figure.measure])
            rows.append(_row(figure, outcome, results[figure.measure]))
            for reason in outcome.missing:
                reasons.setdefault(reason, []).append(figure.row or figure.measure)
    notes = "".join(f"\n- {', '.join(dict.fromkeys(where))}: {reason}" for reason, where in reasons.items())
    return markdown(rows) + (f"\n\nMissing rounds:\n{notes}" if notes else "")


def render_parts(results: Mapping[str, Sequence[Round]]) -> str:
    """What the ratios were made of: a table a measure, a line a variant, medians over the rounds."""
    return "\n\n".join(f"{measure}:\n\n{_parts(rounds)}" for measure, rounds in results.items())


def warnings(results: Mapping[str, Sequence[Round]]) -> list[str]:
    """Why figures may be wrong: others used the cores, or the client was as busy as the server."""
    found = []
    for measure, rounds in results.items():
        for key, limit, says in DOUBTS:
            shares = {variant: highest(rounds, f"{variant}.{key}") for variant, _ in names_of(rounds)}
            named = ", ".join(f"{share:.0%} ({variant})" for variant, share in shares.items() if share > limit)
            if named:
                found.append(f"{measure}: {says} {named}")
    return found


def _row(figure: Figure, outcome: Outcome, rounds: Sequence[Round]) -> tuple[str, ...]:
    spread = outcome.spread
    shown = ("", "", "0") if spread is None else (short(spread.middle), _range(spread[1:3]), str(spread.rounds))
    bounds = tuple("" if bound is None else str(bound) for bound in (figure.must, figure.aim))
    doubt = " ?" if spread is not None and _is_doubtful(figure, rounds) else ""
    return (figure.row, figure.text, *shown, *bounds, verdict(figure, outcome) + doubt)


def _is_doubtful(figure: Figure, rounds: Sequence[Round]) -> bool:
    """Whether it is by the clock and others had much of a core meanwhile."""
    variants = {name.partition(".")[0] for name in figure.value.names}
    return figure.value.is_by_clock and any(highest(rounds, f"{each}.others") > DISTURBED for each in variants)


def _parts(rounds: Sequence[Round]) -> str:
    found = names_of(rounds)
    columns = [key for key in COLUMNS if key in {key for _, key in found}]
    rows: list[tuple[str, ...]] = [("", *(COLUMNS[key] for key in columns))]
    for variant in dict.fromkeys(variant for variant, _ in found):
        spreads = [outcome_of(take(f"{variant}.{key}"), rounds).spread for key in columns]
        rows.append((variant, *("" if spread is None else short(spread.middle) for spread in spreads)))
    return markdown(rows) if found else "Every run was void."


def short(value: float) -> str:
    """Three digits that count, and thousands apart."""
    if not math.isfinite(value):
        return "-"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 1_000 else f"{value:.3g}"


def _range(extremes: Iterable[float]) -> str:
    return " - ".join(map(short, extremes))


def markdown(rows: Sequence[tuple[str, ...]]) -> str:
    """A table of these rows, the first of which is its head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])
