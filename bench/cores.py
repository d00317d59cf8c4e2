"""Which core runs what: the server has one for itself, load client and engine share another (performance.md 2)."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cores:
    """The core of the server under test, and that of everything else. They are the same where there is only one."""

    server: int
    client: int

    @property
    def are_apart(self) -> bool:
        """Whether server and client do not take time from each other."""
        return self.server != self.client


def choose_cores() -> Cores:
    """The first two cores that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[1] if len(usable) > 1 else usable[0])


def pin(pids: Iterable[int], core: int) -> None:
    """Bind all threads of running processes to a core."""
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})
