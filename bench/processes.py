"""Servers as child processes: started pinned to a core, ready when they answer, gone when the block ends.

Nothing survives the benchmark: the kernel sends each child SIGTERM when we die. Only what was started here is ended.
"""

import http.client
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from broker.deathsignal import die_with

READY_S = 60.0
STOP_S = 10.0
LOOK_S = 0.02
BELOW_EPHEMERAL = range(15_000, 32_000)
ENGINES = ("redis-server", "valkey-server")


class NotServing(Exception):
    """A server did not start; the text has the end of what it wrote."""


class Child:
    """A running server."""

    def __init__(self, process: "subprocess.Popen[bytes]", name: str, log: Path) -> None:
        self._process = process
        self._name = name
        self._log = log

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def read_port(self) -> int:
        """The port that it prints as its first line."""
        stdout = self._process.stdout
        line = b"" if stdout is None else stdout.readline().strip()
        if not line.isdigit():
            raise NotServing(self._end())
        return int(line)

    def wait_for(self, is_ready: Callable[[], bool]) -> None:
        """Return when it is ready; raises `NotServing` when it ends before, or takes too long."""
        until = time.monotonic() + READY_S
        while not is_ready():
            if self._process.poll() is not None or time.monotonic() > until:
                raise NotServing(self._end())
            time.sleep(LOOK_S)
        if self._process.poll() is not None:
            raise NotServing(self._end())

    def stop(self) -> None:
        """SIGTERM, and SIGKILL where that does not help."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _end(self) -> str:
        status = self._process.poll()
        how = "does not answer" if status is None else f"ended with status {status}"
        text = self._log.read_text(errors="replace").strip().splitlines()[-8:]
        return f"{self._name} {how}: " + "\n".join(text)


@contextmanager
def running(words: Sequence[object], core: int, log: Path, environ: Mapping[str, str] | None = None) -> Iterator[Child]:
    """Run a server on one core for as long as the block runs; what it writes to stderr goes to `log`."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=None if environ is None else dict(environ),
            preexec_fn=bound_to(core),
        )
    child = Child(process, Path(str(words[0])).name, log)
    try:
        yield child
    finally:
        child.stop()


def free_port() -> int:
    """A port that nobody has, from below those that the kernel gives to clients: it stays free between two starts."""
    while True:
        # Not from `random`: tests seed that alike in all their processes, which then take the same port at once.
        port = secrets.choice(BELOW_EPHEMERAL)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def answers(port: int, path: str | None = None) -> bool:
    """Whether something listens there, and answers 200 at the path where one is given."""
    if path is None:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def family(pid: int) -> dict[int, str]:
    """The process and all its descendants, with their names."""
    names, children = {}, dict[int, list[int]]()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            head, _, tail = (entry / "stat").read_text().rpartition(")")
        except OSError:
            continue  # ended while we looked
        names[int(entry.name)] = head.partition("(")[2]
        children.setdefault(int(tail.split()[1]), []).append(int(entry.name))
    found, waiting = {}, [pid]
    while waiting:
        one = waiting.pop()
        found[one] = names.get(one, "")
        waiting += children.get(one, [])
    return found


def split_family(pid: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The processes of a server, and those of them that are its engine."""
    found = family(pid)
    engines = tuple(one for one, name in found.items() if name in ENGINES)
    return tuple(one for one in found if one not in engines), engines


def bound_to(core: int) -> Callable[[], None]:
    """What a child runs before its program: it is bound to a core, and ends with us."""
    end_with_us = die_with(os.getpid())

    def before_exec() -> None:
        os.sched_setaffinity(0, {core})
        if end_with_us is not None:
            end_with_us()

    return before_exec
