"""Worker processes that share a port: started, kept running, replaced one after another, and ended together.

The parent holds the listening sockets and the engine, and serves nothing itself. Each worker gets its settings as JSON
on its standard input and sockets of its own, and dies with the parent. One that ends by itself is started anew; what
connects meanwhile waits in the sockets that the parent holds.

SIGTERM and SIGINT end all of them, a second one at once. SIGHUP replaces them one by one: each starts to serve before
its predecessor drains, so that nobody is refused. A connection that the kernel has just given to a predecessor, and
that has asked for nothing yet, is closed by it: such a client has to come again, as it does where a server ends.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from broker.config import Settings
from broker.deathsignal import die_with

READY = b"ready\n"
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
STEADY_S = 10.0
READY_S = 60.0
AFTER_SHUTDOWN_S = 5.0

logger = logging.getLogger(__name__)


class Workers:
    """All workers of a server, one for each share of sockets. `run` is called once, in the main thread."""

    def __init__(
        self,
        settings: Settings,
        engine_url: str,
        shares: Sequence[Sequence[socket.socket]],
        metrics: Path,
        admin: Sequence[socket.socket],
    ) -> None:
        self._settings = share_out(settings, len(shares))
        self._engine_url = engine_url
        self._shares = shares
        self._metrics = metrics
        self._admin = admin
        self._running: dict[int, Process] = {}
        self._stopping = asyncio.Event()
        self._replacing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, and return when every worker has ended."""
        loop = asyncio.get_running_loop()
        for asked_to_end in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(asked_to_end, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._replace)
        async with asyncio.TaskGroup() as group:
            for number in range(len(self._shares)):
                group.create_task(self._keep(number), name=f"worker-{number}")

    async def _keep(self, number: int) -> None:
        """Have a worker of this number until the server stops."""
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            began_s = time.monotonic()
            self._running[number] = process = await self._spawn(number)
            if self._stopping.is_set():
                _terminate(process)
            status = await self._ended(number)
            if self._stopping.is_set():
                return
            if time.monotonic() - began_s > STEADY_S:
                pause_s = FIRST_PAUSE_S
            logger.error("worker %d ended with status %s; starting it anew in %.1f s", number, status, pause_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _ended(self, number: int) -> int:
        """The status of the worker of this number, once it and all that replaced it have ended."""
        while True:
            process = self._running[number]
            status = await self._wait(process)
            if self._running[number] is process:
                return status

    async def _wait(self, process: Process) -> int:
        """Its status; once the server stops it is killed when it takes longer than it may."""
        ending = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([ending, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        _, late = await asyncio.wait([ending], timeout=self._settings.server.shutdown_s + AFTER_SHUTDOWN_S)
        if late and self._stopping.is_set():
            logger.error("a worker (pid %d) did not end in time and is killed", process.pid)
            process.kill()
        return await ending

    async def _spawn(self, number: int) -> Process:
        fds = [sock.fileno() for sock in self._shares[number]]
        # What all of them count is told by any of them: the first listens for administrators.
        admin_fds = [sock.fileno() for sock in self._admin] if number == 0 else []
        admin_words = [word for fd in admin_fds for word in ("--admin", str(fd))]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "handlers", "worker", "--engine", self._engine_url, "--metrics", str(self._metrics)),
            *admin_words,
            *map(str, fds),
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=[*fds, *admin_fds],
            process_group=0,  # Ctrl-C in a terminal is for the parent, which ends all of them
            preexec_fn=die_with(os.getpid()),
        )
        assert process.stdin is not None  # noqa: S101 - tells the type
        process.stdin.write(self._settings.model_dump_json().encode())
        process.stdin.close()
        return process

    def _stop(self) -> None:
        self._stopping.set()
        # Whoever connects from now on is refused, and not left waiting for nobody.
        for share in (*self._shares, self._admin):
            for sock in share:
                sock.close()
        for process in self._running.values():
            _terminate(process)

    def _replace(self) -> None:
        if self._replacing is None or self._replacing.done():
            self._replacing = asyncio.create_task(self._replace_all(), name="replacing workers")

    async def _replace_all(self) -> None:
        for number in range(len(self._shares)):
            if self._stopping.is_set():
                return
            successor = await self._spawn(number)
            if self._stopping.is_set() or not await is_ready(successor):
                logger.error("worker %d is not replaced: its successor did not start", number)
                _terminate(successor)
                return
            predecessor, self._running[number] = self._running[number], successor
            logger.info("worker %d (pid %d) is replaced by pid %d", number, predecessor.pid, successor.pid)
            _terminate(predecessor)


def share_out(settings: Settings, workers: int) -> Settings:
    """The settings of one of so many workers: the limits of a node are shared out, rounded up."""
    limits = settings.limits
    names = ("connections", "connections_per_s", "connection_burst")
    shares = {name: -(-getattr(limits, name) // workers) for name in names}
    return settings.model_copy(update={"limits": limits.model_copy(update=shares)})


async def is_ready(process: Process) -> bool:
    """Whether the worker says that it serves, within `READY_S`."""
    assert process.stdout is not None  # noqa: S101 - tells the type
    try:
        async with asyncio.timeout(READY_S):
            return await process.stdout.readline() == READY
    except TimeoutError:
        return False


def _terminate(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
