"""A bar for a person who waits for a file to be worked through; nothing where nobody watches.

It is drawn on stderr, only where that is a terminal and the file has an end; a pipe has none.
"""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm  # type: ignore[import-untyped]

Moved = Callable[[int], object]


@contextmanager
def file_progress(fd: int, *, is_terminal: bool | None = None) -> Iterator[Moved]:
    """Gives what is to be told of each part of the file, in bytes, that is done with."""
    told = os.fstat(fd)
    is_watched = sys.stderr.isatty() if is_terminal is None else is_terminal
    if not (is_watched and stat.S_ISREG(told.st_mode)):
        yield lambda _: None
        return
    with tqdm(total=told.st_size, unit="B", unit_scale=True, leave=False, file=sys.stderr) as bar:
        yield bar.update
