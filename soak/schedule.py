"""Which fault comes next, and how long it is quiet between: drawn from the seed. Pure."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

QUIET_S = (1.0, 2.5)


class Planned(NamedTuple):
    """A fault to come: its name, which of the two brokers it hits if it hits one, and the quiet time after it."""

    name: str
    broker: int
    quiet_s: float


def plan(names: Sequence[str], chance: random.Random, brokers: int) -> Iterator[Planned]:
    """Faults without end: all of them in a random order, then all again in another."""
    while True:
        for name in chance.sample(names, len(names)):
            yield Planned(name, chance.randrange(brokers), chance.uniform(*QUIET_S))
