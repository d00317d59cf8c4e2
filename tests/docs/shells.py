"""A shell into which the commands of a page are typed, beside a server."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.programs import program
from tests.serve_process import FOR_TESTS, environment

PATIENCE_S = 60.0


class Shell:
    """One shell in a directory with a server's data; each block's output is a file."""

    def __init__(self, process: "subprocess.Popen[bytes]", directory: Path, port: int) -> None:
        self._process = process
        self._directory = directory
        self._port = port
        self._count = 0

    def type(self, block: str, *, goes_on: bool = False) -> Path:
        """Have the block done, and be back when it is, or at once if it goes on by itself."""
        self._count += 1
        out, done = (self._directory / f"{self._count}.{end}" for end in ("out", "done"))
        text = block.replace("127.0.0.1:8000", f"127.0.0.1:{self._port}")
        assert self._process.stdin is not None
        self._process.stdin.write(f"{{\n{text}\n}} > {out} 2>&1 {'&' if goes_on else ''}\ntouch {done}\n".encode())
        self._process.stdin.flush()
        until(done.exists, f"{block} does not end: {out.read_text() if out.exists() else ''}")
        return out


def until(holds: Any, otherwise: str) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, otherwise
        time.sleep(0.02)


@contextmanager
def shell(directory: Path, port: int) -> Iterator[Shell]:
    environ = environment(**FOR_TESTS, TIDEMARK_SERVER__PORT=str(port))
    process = subprocess.Popen(
        [program("bash")], cwd=directory, env=environ, stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield Shell(process, directory, port)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        assert process.stdin is not None
        process.stdin.close()
