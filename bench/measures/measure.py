"""The form of a measure, and the rounds in which its variants take turns."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bench.rounds import Round, Sample, rotated
from bench.stage import Stage

Variant = Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Measure:
    """`variants` says, for a stage, what is run in each round, by name."""

    name: str
    text: str
    variants: Callable[[Stage], Mapping[str, Variant]]


Told = Callable[[str], None]


def run_rounds(measure: Measure, stage: Stage, tell: Told) -> list[Round]:
    """All variants in turn, in each round; whatever fails makes its own run void and no other."""
    variants = measure.variants(stage)
    return [dict(_one_round(measure, variants, turn, tell)) for turn in range(stage.scale.rounds)]


def _one_round(
    measure: Measure, variants: Mapping[str, Variant], turn: int, tell: Told
) -> Iterator[tuple[str, Sample]]:
    for name in rotated(list(variants), turn):
        try:
            sample = variants[name]()
        except Exception as error:  # one broken run must not lose what the others took minutes to measure
            sample = Sample(void=f"{type(error).__name__}: {error}")
        tell(f"{measure.name} {turn + 1}: {name}" + (f" is void: {sample.void}" if sample.void else ""))
        yield name, sample
