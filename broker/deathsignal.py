"""Children that die with their parent: on Linux the kernel sends them SIGTERM, however the parent ends.

The signal follows the thread that forks, not the process: start such children from the main thread.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def die_with(parent_pid: int) -> Callable[[], None] | None:
    """What a child runs before its program (`preexec_fn`), so that SIGTERM reaches it when the parent is gone.

    None where the system cannot do it.
    """
    prctl = _prctl
    if prctl is None:
        return None

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent_pid:
            os._exit(1)  # it died before we asked

    return ask_kernel
