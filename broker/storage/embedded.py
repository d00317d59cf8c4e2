"""The embedded engine: a real Valkey or Redis as a child of the broker (design section 3, ecosystem section 2).

It listens on a unix socket of mode 700 only and writes an append-only file. It ends with the broker, however the broker
ends: the kernel sends it SIGTERM, on which it writes out what it holds. It is started anew when it dies. Two servers on
one append-only file would ruin it, so each engine holds `engine.lock` as long as it lives, and the next one waits for
that.

With `fsync` "everysec" the file is synced every second: what was acknowledged in the last two seconds may be lost when
the machine loses power, and also when the engine alone is killed while the disk is busy syncing, as the server then
answers before it writes (its aof.c). With "always" it is on disk before it is acknowledged.
"""

import asyncio
import logging
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from broker.storage.engine_binary import find_binary, parse_make, render_make
from broker.storage.engine_files import (
    DataLock,
    EngineFault,
    ask,
    make_socket_path,
    open_data,
    read_json,
    remove_socket,
    try_lock,
    url_of,
)
from broker.storage.engine_process import end, ended, spawn

START_TIMEOUT_S = 30.0
"""How long an engine may take to open its socket. Loading the data after that is not bounded, as data is not."""

OLD_ENGINE_TIMEOUT_S = 60.0
POLL_S = 0.02
SLOW_START_S = 5.0
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
STEADY_S = 30.0

logger = logging.getLogger(__name__)


class EngineFailed(EngineFault):
    """The server did not start; the text has the end of its log."""


class EmbeddedEngine:
    """A server on a data directory. `start` first, `stop` last; `watch` between them restarts it when it dies.

    Start, stop and watch from the main thread: the death signal follows the thread that forks, not the process.
    """

    def __init__(self, data: str | Path, *, binary: str = "", fsync: str = "everysec") -> None:
        self.data = open_data(data)
        self._configured = binary
        self._fsync = fsync
        self._lock = DataLock(self.data)
        self._socket = self.data / "engine.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False

    @property
    def url(self) -> str:
        """`unix://` and the path of the socket; known after `start`, and unchanged by restarts."""
        return url_of(self._socket)

    @property
    def pid(self) -> int | None:
        """The process id of the server, None before the first start."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Claim the directory, start the server, return when it answers. Raises `EngineFault` and its kinds."""
        self._lock.take()
        self._stopping = False
        try:
            for pause_s in self._bring_up():
                time.sleep(pause_s)
        except OSError as error:
            self.stop()
            raise EngineFailed(f"Cannot start the engine in {self.data}: {error}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Let the server write out and end; kill it after a bound. Releases the directory. May be called twice."""
        self._stopping = True
        process, self._process = self._process, None
        if process is not None:
            end(process)
            remove_socket(self.data)
        self._lock.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    async def watch(self) -> None:
        """Restart the server whenever it ends, until cancelled or stopped; each time is logged. Never raises."""
        pause_s = FIRST_PAUSE_S
        while self._process is not None and not self._stopping:
            begun = time.monotonic()
            status = await ended(self._process)
            if self._stopping:
                return
            if time.monotonic() - begun > STEADY_S:
                pause_s = FIRST_PAUSE_S
            logger.error("The engine ended with status %s; restarting it in %.1f s", status, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            await self._restart()

    async def _restart(self) -> None:
        try:
            for pause_s in self._bring_up():
                await asyncio.sleep(pause_s)
        except (EngineFault, OSError) as error:
            logger.error("The engine did not restart: %s", error)
        else:
            logger.warning("The engine runs again (pid %s)", self.pid)

    def _bring_up(self) -> Iterator[float]:
        """The steps of a start, for callers that sleep in their own way: yields the seconds to pause."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("The engine must be started from the main thread: it dies with the thread that forks it")
        record = self.data / "engine.json"
        binary = find_binary(self._configured, parse_make(read_json(record)))
        self._socket = make_socket_path(self.data)
        fd = os.open(self.data / "engine.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield from self._wait_for_old(fd)
            self._process = spawn([binary.path, *self._options()], self.data, fd)
        finally:
            # The child has its own descriptor of the same lock, which is now held for as long as the child lives.
            os.close(fd)
        yield from self._wait_for_pong(self._process)
        record.write_bytes(orjson.dumps(render_make(binary.make)))
        logger.info("The engine is %s from %s (pid %s)", binary.make, binary.path, self._process.pid)

    def _wait_for_old(self, fd: int) -> Iterator[float]:
        """Wait until the engine of a broker that was killed is gone, and ask it to go."""
        deadline = time.monotonic() + OLD_ENGINE_TIMEOUT_S
        if try_lock(fd):
            return
        logger.warning("An engine of an earlier run still has the data; waiting for it to end")
        ask(self._socket, b"SHUTDOWN NOSAVE\r\n")
        while not try_lock(fd):
            if time.monotonic() > deadline:
                raise EngineFailed(
                    f"An engine of an earlier run still has {self.data} after {OLD_ENGINE_TIMEOUT_S:.0f} s: end that "
                    f"process (fuser {self.data / 'engine.lock'} names it) and start again"
                )
            yield POLL_S

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "logfile": str(self.data / "engine.log"),
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": self._fsync,
            "aof-load-truncated": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    def _wait_for_pong(self, process: "subprocess.Popen[bytes]") -> Iterator[float]:
        begun = noted = time.monotonic()
        while True:
            status = process.poll()
            if status is not None:
                raise EngineFailed(f"The engine ended with status {status} while starting. {self._log_end()}")
            answer = ask(self._socket, b"PING\r\n")
            if answer is not None and answer.startswith(b"+PONG"):
                return
            now = time.monotonic()
            if answer is None and now - begun > START_TIMEOUT_S:
                raise EngineFailed(f"The engine did not answer within {START_TIMEOUT_S:.0f} s. {self._log_end()}")
            if now - noted > SLOW_START_S:
                noted = now
                logger.info("The engine is loading its data, for %.0f s now", now - begun)
            yield POLL_S

    def _log_end(self) -> str:
        path = self.data / "engine.log"
        try:
            lines = path.read_text(errors="replace").splitlines()[-5:]
        except FileNotFoundError:
            return f"It wrote no log to {path}."
        return f"{path} ends with:\n" + "\n".join(lines)
