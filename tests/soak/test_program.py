"""A server is killed, stopped and started again on demand, and never left behind."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from bench.processes import NotServing, free_port
from soak.program import Program, listens

SERVER = """
import socketserver, sys
socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer(("127.0.0.1", int(sys.argv[1])), socketserver.BaseRequestHandler).serve_forever()
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    port = free_port()
    made = Program("server", [sys.executable, "-c", SERVER, port], tmp_path / "log", listens(port), os.environ)
    yield made
    made.end()


def status(program: Program) -> str:
    return str(psutil.Process(program.pid).status())


async def test_it_is_started_killed_and_started_again_on_its_port(program: Program) -> None:
    await program.start()
    first = program.pid
    assert program.rss_bytes > 1 << 20
    await program.kill()
    assert not psutil.pid_exists(first)
    await program.start()
    assert program.pid != first


async def test_sigterm_ends_it_with_its_status(program: Program) -> None:
    await program.start()
    assert await program.stop() == -15


async def test_one_that_does_not_end_is_said_so_and_killed(tmp_path: Path) -> None:
    port, deaf = free_port(), f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SERVER}"
    program = Program("server", [sys.executable, "-c", deaf, port], tmp_path / "log", listens(port), os.environ)
    await program.start()
    with pytest.raises(NotServing, match=r"server did not end within 0\.1 s of SIGTERM"):
        await program.stop(patience_s=0.1)
    assert not psutil.pid_exists(program.pid)


async def test_it_is_frozen_and_thawed(program: Program) -> None:
    await program.start()
    program.freeze()
    until = time.monotonic() + 10
    while status(program) != psutil.STATUS_STOPPED:
        assert time.monotonic() < until
    program.thaw()
    while status(program) == psutil.STATUS_STOPPED:
        assert time.monotonic() < until


async def test_a_frozen_one_is_not_left_behind(program: Program) -> None:
    await program.start()
    program.freeze()
    program.end()
    assert not psutil.pid_exists(program.pid)


async def test_one_that_does_not_start_says_what_it_wrote(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "raise SystemExit('no data directory')"]
    program = Program("server", words, tmp_path / "log", lambda: False, os.environ)
    with pytest.raises(NotServing, match="no data directory"):
        await program.start()


def test_nothing_can_be_done_to_one_that_was_not_started(program: Program) -> None:
    with pytest.raises(NotServing, match="was not started"):
        program.freeze()
