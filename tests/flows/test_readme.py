"""Every command of the README does what it says there, in the order in which a newcomer types them."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.programs import program
from tests.serve_process import FOR_TESTS, environment, free_port

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
ULID = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"
FRAME = rf'\{{"id":"{ULID}".*"channel_id":"host-metrics","type":"host.metrics","data":\{{"load":\{{"1m":'


class Promise(NamedTuple):
    """What a block's output has to show, what is put behind its command here, and whether it goes on after that."""

    shows: str
    goes_on: bool = False
    here: str = ""


PROMISES = {
    "./run serve": Promise(r"Serving on http://127\.0\.0\.1:", goes_on=True),
    "./run test": Promise(r"\d+ passed", here=" -n 0 -p no:cacheprovider tests/broker/test_durations.py"),
    "python3 examples/host_metrics.py": Promise(ULID, goes_on=True, here=" --url http://127.0.0.1:8000"),
    "curl -s 'http": Promise(rf'"events":\[{FRAME}.*"cursor":"{ULID}"'),
    "curl -sN": Promise(rf"id: {ULID}\ndata: {FRAME}", goes_on=True),
    ".venv/bin/websockets": Promise(rf"< {FRAME}", goes_on=True),
    "./run tail host-metrics": Promise(rf"{ULID}  host\.metrics  ", goes_on=True),
    "./run channels create": Promise(rf'{ULID}  order\.paid  \{{"order":1,"status":"paid"\}}', goes_on=True),
    "./run token": Promise(r"^eyJ[\w.-]+\n$"),
    "curl -s http": Promise(rf'"id":"{ULID}".*"data":\{{"order":2,"status":"paid"\}},"publisher_id":"shop"'),
}


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)


def promise_of(block: str) -> Promise:
    [promise] = [promise for beginning, promise in PROMISES.items() if block.startswith(beginning)]
    return promise


@contextmanager
def typed(block: str, directory: Path, port: int, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The block in a shell of its own; ended with all that it started, at the latest with the test."""
    text = (block.rstrip() + promise_of(block).here).replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    environ = environment(**FOR_TESTS, TIDEMARK_SERVER__PORT=str(port))
    with log.open("wb") as out:
        process = subprocess.Popen(
            [program("bash"), "-ec", text],
            cwd=directory,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        assert process.stdin is not None
        process.stdin.close()


def await_promise(process: "subprocess.Popen[bytes]", promise: Promise, log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while not re.search(promise.shows, log.read_text(), re.MULTILINE):
        has_ended = process.poll() is not None
        if (has_ended and not re.search(promise.shows, log.read_text())) or time.monotonic() > until:
            pytest.fail(f"does not show {promise.shows}: {log.read_text()[-3000:]}")
        time.sleep(0.02)
    if not promise.goes_on:
        assert process.wait(PATIENCE_S) == 0, log.read_text()


@pytest.mark.timeout(240)
def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    program("curl")
    for name in ("run", ".venv", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    port, logs = free_port(), iter(tmp_path / f"{i}.log" for i in range(100))
    serve, *rest = blocks()
    log = next(logs)
    with typed(serve, tmp_path, port, log) as server:
        await_promise(server, promise_of(serve), log)
        publishing = next(block for block in rest if block.startswith("python3"))
        log = next(logs)
        with typed(publishing, tmp_path, port, log) as metrics:
            await_promise(metrics, promise_of(publishing), log)
            for block in rest:
                if block != publishing:
                    log = next(logs)
                    with typed(block, tmp_path, port, log) as process:
                        await_promise(process, promise_of(block), log)
    assert server.returncode == 0, "SIGTERM ends it well"
    assert (tmp_path / "data").is_dir(), "the data is where the caller was"


def test_every_file_that_it_names_is_there() -> None:
    names = re.findall(r"\]\(([\w./-]+)\)", (ROOT / "README.md").read_text())
    assert names and [name for name in names if not (ROOT / name).exists()] == []
