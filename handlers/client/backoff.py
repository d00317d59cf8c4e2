"""How long to wait before trying again: ever longer, and never in step with the others who wait. Pure."""

from collections.abc import Callable, Iterator

FIRST_S = 0.1
LONGEST_S = 5.0


def pauses(chance: Callable[[], float], *, first_s: float = FIRST_S, longest_s: float = LONGEST_S) -> Iterator[float]:
    """Seconds to wait before each next try: doubling up to `longest_s`, each shortened at random by up to half.

    `chance` gives numbers from 0 to 1. The random part spreads those who were cut off together by a restart.
    """
    pause_s = first_s
    while True:
        yield pause_s * (1 - chance() / 2)
        pause_s = min(2 * pause_s, longest_s)
