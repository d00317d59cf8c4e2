"""The example publishes what this machine really does, and survives a restart of the server."""

import asyncio
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
from aiohttp import web

from tests.receivers import Receiver, Request, receiving
from tests.serve_process import ServeProcess, environment

EXAMPLE = Path(__file__).parents[2] / "examples" / "host_metrics.py"
pytestmark = pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="no /proc: Linux only")


@contextmanager
def example(
    server: ServeProcess | Receiver, *words: str, token: str | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """The example, run by a Python that sees nothing but its standard library."""
    command = [sys.executable, "-I", "-S", str(EXAMPLE), "--url", server.url, *words]
    environ = environment(**({"TIDEMARK_TOKEN": token} if token else {}))
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def events(server: ServeProcess, channel_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.ask("GET", f"/channels/{channel_id}/events?limit=100").json()["events"]
    return found


def test_it_creates_a_public_channel_and_publishes_the_real_figures(shared_server: ServeProcess) -> None:
    channel_id = f"host-{secrets.token_hex(4)}"
    words = ("--channel", channel_id, "--count", "2", "--every", "0.1")
    with example(shared_server, *words, token=shared_server.token("admin")) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert shared_server.ask("GET", f"/channels/{channel_id}").json()["is_public"] is True
    first, second = events(shared_server, channel_id)
    assert [line.split()[1] for line in out.splitlines()] == [first["id"], second["id"]]
    assert second["type"] == "host.metrics"
    measured = second["data"]
    assert measured["memory"]["total_bytes"] == psutil.virtual_memory().total
    assert measured["network"].keys() == psutil.net_io_counters(pernic=True).keys()
    assert measured["network"]["lo"]["sent_bytes"] > first["data"]["network"]["lo"]["sent_bytes"]
    assert 0 <= measured["load"]["1m"] < 1000


def test_a_token_that_may_only_publish_is_enough_for_a_channel_that_is_there(shared_server: ServeProcess) -> None:
    channel_id = f"host-{secrets.token_hex(4)}"
    shared_server.create(channel_id)
    words = ("--channel", channel_id, "--count", "1", "--token", shared_server.token(f"pub:{channel_id}"))
    with example(shared_server, *words) as process:
        assert process.wait(30) == 0
    assert len(events(shared_server, channel_id)) == 1


@pytest.mark.parametrize(("token", "says"), [("x.y.z", "The server refused (401)"), (None, "a token is needed")])
def test_without_a_good_token_it_says_so(shared_server: ServeProcess, token: str | None, says: str) -> None:
    with example(shared_server, token=token) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode and says in err and "Traceback" not in err


def test_it_goes_on_when_the_server_comes_back_and_nothing_is_there_twice(server: ServeProcess) -> None:
    with example(server, "--every", "0.05", token=server.token("admin")) as process:
        assert process.stdout is not None and process.stderr is not None
        printed = [process.stdout.readline().split()[1] for _ in range(5)]
        server.kill()
        assert "trying again" in process.stderr.readline()
        server.start()
        printed += [process.stdout.readline().split()[1] for _ in range(10)]
    stored = events(server, "host-metrics")
    assert [event["id"] for event in stored][: len(printed)] == printed
    assert len({json.dumps(event["data"]) for event in stored}) == len(stored)


async def test_a_failure_of_the_server_is_met_with_the_same_request_under_the_same_key() -> None:
    statuses = iter((201, 500, 502, 201))

    async def answer(_: Request) -> web.Response:
        return web.json_response({"id": "e", "created_at": "2026-11-27T00:00:00Z"}, status=next(statuses))

    async with receiving(answer) as receiver:
        with example(receiver, "--count", "1", token="any") as process:
            _, err = await asyncio.to_thread(process.communicate, timeout=30)
    assert process.returncode == 0 and "status 500; trying again" in err and "status 502; trying again" in err
    _, *asked = receiver.requests
    assert len(asked) == 3 and len({(each.body, each.headers["Idempotency-Key"]) for each in asked}) == 1
