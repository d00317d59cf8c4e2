"""Several worker processes behind one port: they serve together, are kept running, replaced, and ended together."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from websockets.exceptions import ConnectionClosed

from tests.engines import wait_for_end
from tests.flows.sockets import next_data
from tests.serve_process import ServeProcess, refused_start, serving

TWO = {"TIDEMARK_SERVER__WORKERS": "2"}
PATIENCE_S = 30


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServeProcess]:
    with serving(tmp_path / "data", TWO) as running:
        yield running


def workers(server: ServeProcess) -> list[psutil.Process]:
    """The worker processes that run now."""
    found = []
    for child in psutil.Process(server.process.pid).children():
        with suppress(psutil.NoSuchProcess):  # also a zombie is none
            found += [child] if "worker" in child.cmdline() else []
    return found


async def settled(server: ServeProcess, *, without: set[int]) -> set[int]:
    """The pids of two workers, none of them of these, once they run and serve."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            pids = {worker.pid for worker in workers(server) if serves(worker)}
            if len(pids) == 2 and not pids & without:
                return pids
            await asyncio.sleep(0.02)


def serves(worker: psutil.Process) -> bool:
    """Whether it listens by now."""
    try:
        return any(each.status == "LISTEN" for each in worker.net_connections("tcp"))
    except psutil.Error:
        return False


def held_by(pid: int, server: ServeProcess) -> int:
    """How many connections a worker holds."""
    connections = psutil.Process(pid).net_connections("tcp")
    return sum(each.status == "ESTABLISHED" and each.laddr.port == server.port for each in connections)


async def test_connections_are_spread_over_the_workers_and_each_sees_every_event(server: ServeProcess) -> None:
    server.create("news")
    pids = await settled(server, without=set())
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(server.socket("news")) for _ in range(40)]
        assert all(held_by(pid, server) > 0 for pid in pids)
        await asyncio.to_thread(server.publish, "news", "all")
        assert [await next_data(socket) for socket in sockets] == ["all"] * 40


async def test_a_killed_worker_is_started_anew_and_its_readers_lose_nothing(server: ServeProcess) -> None:
    server.create("news")
    pids = await settled(server, without=set())
    cursor = server.tip("news")
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(server.socket("news")) for _ in range(20)]
        victim = next(pid for pid in pids if held_by(pid, server))
        psutil.Process(victim).kill()
        await asyncio.to_thread(server.publish, "news", "while it is down")
        outcomes = await asyncio.gather(*map(next_data, sockets), return_exceptions=True)
        lost = [outcome for outcome in outcomes if isinstance(outcome, ConnectionClosed)]
        assert lost and set(map(str, (each for each in outcomes if each not in lost))) <= {"while it is down"}
    assert await settled(server, without={victim}) & pids, "the other one is left alone"
    async with server.socket("news", cursor=cursor) as socket:
        assert await next_data(socket) == "while it is down"


async def test_sigterm_drains_all_workers_and_leaves_no_process(server: ServeProcess) -> None:
    server.create("news")
    last = server.publish("news", 1)[0]
    family = psutil.Process(server.process.pid).children(recursive=True)
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(server.socket("news")) for _ in range(20)]
        server.process.send_signal(signal.SIGTERM)
        for socket in sockets:
            with pytest.raises(ConnectionClosed) as caught:
                await asyncio.wait_for(socket.recv(), PATIENCE_S)
            assert caught.value.rcvd is not None
            assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1012, f"restart; cursor={last}")
    assert await asyncio.to_thread(server.process.wait, PATIENCE_S) == 0
    for process in family:
        wait_for_end(process.pid)


async def test_sighup_replaces_every_worker_and_nobody_is_refused(server: ServeProcess) -> None:
    server.create("news")
    old = await settled(server, without=set())
    replaced = asyncio.Event()

    async def publish() -> int:
        count = 0
        while not replaced.is_set():
            await asyncio.to_thread(server.publish, "news", count)
            count += 1
        return count

    publishing = asyncio.create_task(publish())
    server.process.send_signal(signal.SIGHUP)
    await settled(server, without=old)
    for pid in old:
        await asyncio.to_thread(wait_for_end, pid, PATIENCE_S)
    replaced.set()
    count = await publishing
    assert count > 0
    page = server.ask("GET", f"/channels/news/events?limit={min(count, 100)}").json()
    assert [event["data"] for event in page["events"]] == list(range(count))[-100:]


def test_workers_and_engine_end_with_a_killed_parent(server: ServeProcess) -> None:
    family = psutil.Process(server.process.pid).children(recursive=True)
    assert len(family) == 3
    server.kill()
    for process in family:
        wait_for_end(process.pid, PATIENCE_S)


def test_a_port_in_use_is_refused_also_by_those_who_would_share_it(server: ServeProcess, tmp_path: Path) -> None:
    status, said = refused_start(tmp_path, "--port", str(server.port), "--data", "other", "--workers", "2")
    assert status == 1
    assert "Cannot listen" in said
