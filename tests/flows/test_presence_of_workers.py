"""Whichever worker answers tells of the readers of all of them, and of none that was killed."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from tests.serve_process import ServeProcess, serving

READERS = 20
PATIENCE_S = 45
"""A process that was killed is believed for half a minute."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServeProcess]:
    with serving(tmp_path / "data", {"TIDEMARK_SERVER__WORKERS": "2"}) as running:
        yield running


async def told(server: ServeProcess, count: int) -> dict[str, Any]:
    """What is told of so many readers, once ten answers in a row tell of so many."""
    agreed = 0
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found: dict[str, Any] = (await asyncio.to_thread(server.ask, "GET", "/channels/news/presence")).json()
            agreed = agreed + 1 if found["total"] == count else 0
            if agreed == 10:
                return found
            await asyncio.sleep(0.02)


async def both_listen(server: ServeProcess) -> None:
    """Return when the kernel has two workers to spread connections over; the first alone makes the server ready."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = psutil.Process(server.process.pid).net_connections("tcp")
            if sum(each.status == "LISTEN" and each.laddr.port == server.port for each in found) == 2:
                return
            await asyncio.sleep(0.02)


@pytest.mark.timeout(120)
async def test_every_worker_tells_of_the_readers_of_all(server: ServeProcess) -> None:
    server.create("news")
    await both_listen(server)
    async with AsyncExitStack() as stack:
        for _ in range(READERS):
            await stack.enter_async_context(server.socket("news"))
        found = await told(server, READERS)
        assert [(each["subject"], each["connections"]) for each in found["readers"]] == [("tests", READERS)]
        assert server.ask("GET", "/channels/news").json()["subscriber_count"] == READERS
        [victim, other] = [each for each in psutil.Process(server.process.pid).children() if "worker" in each.cmdline()]
        left = sum(
            each.status == "ESTABLISHED" and each.laddr.port == server.port for each in other.net_connections("tcp")
        )
        assert 0 < left < READERS, "the kernel spreads them over the workers"
        victim.kill()
        await told(server, left)
    await told(server, 0)
