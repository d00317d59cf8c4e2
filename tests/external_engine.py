"""An engine that is not the broker's own: a server on a TCP port of 127.0.0.1, plain or with TLS, as in production."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.engines import binary_path
from tests.serve_process import free_port

START_S = 10.0
DURABLE = ("--appendonly", "yes", "--save", "")


@contextmanager
def external_engine(directory: Path, name: str, *words: str) -> Iterator[int]:
    """A server on a free port, which `{port}` in the words stands for, until the block ends; its port."""
    directory.mkdir()
    port = free_port()
    given = [word.format(port=port) for word in words or ("--port", "{port}")]
    command = [binary_path(name), "--bind", "127.0.0.1", "--dir", str(directory), *DURABLE, *given]
    with (directory / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _await_port(process, port, directory / "log")
            yield port
        finally:
            process.kill()


def _await_port(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + START_S
    while True:
        assert process.poll() is None and time.monotonic() < until, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.01)
