"""A server as a child process: it dies with its parent, its end can be awaited, and it is ended politely.

Linux tells a child of its parent's death (prctl PR_SET_PDEATHSIG) and tells us of a child's death (pidfd). Elsewhere
the child outlives a killed parent until the next start sends it away, and is looked at every fifth of a second.
"""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from broker.deathsignal import die_with

STOP_TIMEOUT_S = 20.0
LOOK_S = 0.2

logger = logging.getLogger(__name__)


def spawn(words: Sequence[str], directory: Path, kept_fd: int) -> "subprocess.Popen[bytes]":
    """Run the words in the directory; the child keeps `kept_fd` open. Only from the main thread (see `embedded`)."""
    # A group of its own: Ctrl-C in a terminal is for the broker, which stops its engine last.
    return subprocess.Popen(  # noqa: S603
        words,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(kept_fd,),
        process_group=0,
        umask=0o077,
        preexec_fn=die_with(os.getpid()),
    )


def end(process: "subprocess.Popen[bytes]", *, timeout_s: float = STOP_TIMEOUT_S) -> None:
    """SIGTERM, on which a server writes out what it holds; SIGKILL after `timeout_s`."""
    process.terminate()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        logger.error("The engine did not end within %.1f s and is killed", timeout_s)
        process.kill()
        process.wait()


async def ended(process: "subprocess.Popen[bytes]") -> int:
    """The status of the process, once it has ended."""
    if sys.platform == "linux":
        await _gone(process.pid)
    while (status := process.poll()) is None:  # noqa: ASYNC110 - there is no event to wait for outside Linux
        await asyncio.sleep(LOOK_S)
    return status


async def _gone(pid: int) -> None:
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    loop.add_reader(fd, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)
