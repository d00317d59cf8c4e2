"""The metrics of several workers are those of one server, also when one of them was killed."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import psutil  # type: ignore[import-untyped]

from tests.exposition import Exposition
from tests.flows.test_workers import TWO, held_by, settled
from tests.serve_process import free_port, serving

SOCKETS = 12
PATIENCE_S = 30


async def test_any_worker_answers_for_all_and_a_killed_one_leaves_its_counts_but_not_its_sockets(
    tmp_path: Path,
) -> None:
    address = f"127.0.0.1:{free_port()}"
    with serving(tmp_path / "data", {**TWO, "TIDEMARK_SERVER__ADMIN_LISTEN": address}) as server:
        pids = await settled(server, without=set())
        server.create("news")

        async def metrics() -> Exposition:
            async with httpx2.AsyncClient(trust_env=False) as client:
                return Exposition((await client.get(f"http://{address}/metrics")).raise_for_status().text)

        async def until(holds: Callable[[Exposition], bool]) -> Exposition:
            async with asyncio.timeout(PATIENCE_S):
                while not holds(found := await metrics()):
                    await asyncio.sleep(0.05)
                return found

        async with AsyncExitStack() as stack:
            for _ in range(SOCKETS):
                await stack.enter_async_context(server.socket("news"))
            server.publish("news", 1)
            all_there = await until(lambda now: now.value("tidemark_deliveries_total") == SOCKETS)
            assert all_there.value("tidemark_processes") == 2
            assert all_there.value("tidemark_readers_open", kind="socket") == SOCKETS
            killed = max(pids, key=lambda pid: held_by(pid, server))
            psutil.Process(killed).kill()
            await settled(server, without={killed})
            left = await until(lambda now: now.value("tidemark_readers_open", kind="socket") < SOCKETS)
            assert left.value("tidemark_deliveries_total") == SOCKETS
            assert (await until(lambda now: now.value("tidemark_processes") == 2)).value("tidemark_engine_up") == 1
