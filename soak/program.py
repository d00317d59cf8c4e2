"""A server as a child process that faults are done to: killed, stopped, let go on, started again on the same port."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from bench.processes import NotServing, answers
from broker.deathsignal import die_with

START_S = 60.0
STOP_S = 40.0
LOOK_S = 0.02


class Program:
    """One server: what starts it, and the process that runs it now, if any. Nothing of it outlives us."""

    def __init__(
        self, name: str, words: Sequence[object], log: Path, is_ready: Callable[[], bool], environ: Mapping[str, str]
    ) -> None:
        self.name = name
        self.log = log
        self._words = [str(word) for word in words]
        self._is_ready = is_ready
        self._environ = dict(environ)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the last one that was started."""
        return self._running.pid

    @property
    def rss_bytes(self) -> int:
        """Its resident memory."""
        return int(psutil.Process(self.pid).memory_info().rss)

    async def start(self) -> None:
        """Start it and return when it is ready; raises `NotServing` when it ends before, or takes too long."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - short, and the child lives with this thread
                self._words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environ,
                preexec_fn=die_with(os.getpid()),
            )
        until = time.monotonic() + START_S
        while not await asyncio.to_thread(self._is_ready):
            if self._process.poll() is not None or time.monotonic() > until:
                raise NotServing(f"{self.name} does not start: {self.log.read_text(errors='replace')[-2000:]}")
            await asyncio.sleep(LOOK_S)

    async def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self._running.kill()
        await asyncio.to_thread(self._running.wait, STOP_S)

    async def stop(self, patience_s: float = STOP_S) -> int:
        """SIGTERM, and wait for its end; the exit status. Raises `NotServing` when it does not end, and kills it."""
        self._running.terminate()
        try:
            return await asyncio.to_thread(self._running.wait, patience_s)
        except subprocess.TimeoutExpired:
            await self.kill()
            raise NotServing(f"{self.name} did not end within {patience_s:g} s of SIGTERM") from None

    def freeze(self) -> None:
        """SIGSTOP: it does nothing more, and keeps everything."""
        self._running.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._running.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Make sure that it is gone."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise NotServing(f"{self.name} was not started")
        return self._process


def listens(port: int) -> Callable[[], bool]:
    """Whether somebody accepts connections on this port of 127.0.0.1."""
    return lambda: answers(port)


def is_ready_at(port: int) -> Callable[[], bool]:
    """Whether a broker on this port says that it is ready."""
    return lambda: answers(port, "/readyz")
