"""A bar for a person who waits minutes for a measure or a soak; lines are printed above it.

It is drawn on stderr where that is a terminal; elsewhere there are the lines only.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm  # type: ignore[import-untyped]


class Progress:
    """A bar of `total` steps, or of that many seconds."""

    def __init__(self, bar: tqdm) -> None:
        self._bar = bar
        self._began_s = time.monotonic()

    def say(self, line: str) -> None:
        """A line above the bar."""
        self._bar.write(line, file=sys.stderr)

    def step(self) -> None:
        """One step is done."""
        self._bar.update()

    def say_in_time(self, line: str) -> None:
        """A line, and the bar at the seconds that have gone by."""
        self.say(line)
        self._bar.update(min(time.monotonic() - self._began_s, self._bar.total) - self._bar.n)


@contextmanager
def progress(total: float, *, unit: str, is_terminal: bool | None = None) -> Iterator[Progress]:
    """The bar while entered."""
    is_watched = sys.stderr.isatty() if is_terminal is None else is_terminal
    form = "{percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} {unit}, {elapsed} gone"
    with tqdm(total=total, unit=unit, leave=False, file=sys.stderr, disable=not is_watched, bar_format=form) as bar:
        yield Progress(bar)
