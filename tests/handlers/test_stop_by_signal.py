"""`serve` as a process: SIGTERM tells every reader where to go on, and ends with status 0; the next process goes on."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from broker.channels import NewChannel
from broker.signing_file import load_or_create
from broker.storage.channels import Channels
from broker.storage.engine import open_engine
from broker.tokens import MintRequest, mint
from tests.broker_server import API

PATIENCE_S = 20


class Process:
    """A running `serve`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log = ""
        self.port = 0

    async def started(self) -> None:
        assert self.process.stderr is not None
        while not self.port:
            line = (await asyncio.wait_for(self.process.stderr.readline(), PATIENCE_S)).decode()
            assert line, self.log
            self.log += line
            if found := re.search(r"(?:running|Serving) on http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
        async with httpx2.AsyncClient(trust_env=False) as http, asyncio.timeout(PATIENCE_S):
            while True:
                with suppress(httpx2.TransportError):
                    if (await http.get(f"http://127.0.0.1:{self.port}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.02)

    async def ended(self) -> int:
        assert self.process.stderr is not None
        self.log += (await asyncio.wait_for(self.process.stderr.read(), PATIENCE_S)).decode()
        return await self.process.wait()


@asynccontextmanager
async def serving(data: Path) -> AsyncIterator[Process]:
    words = ["-P", "-m", "handlers", "serve", "--port", "0", "--data", str(data)]
    process = Process(await asyncio.create_subprocess_exec(sys.executable, *words, stderr=asyncio.subprocess.PIPE))
    try:
        await process.started()
        yield process
    finally:
        if process.process.returncode is None:
            process.process.terminate()
            await process.ended()


async def create_channel(data: Path) -> None:
    url = f"unix://{quote(str(data / 'engine.sock'))}"
    engine = await open_engine(url, partitions=16, connect_timeout_s=5, reply_timeout_s=5)
    try:
        await Channels(engine, most=10).create(NewChannel("news", "news", is_public=True, config=None))
    finally:
        await engine.close()


def headers(data: Path) -> dict[str, str]:
    key = load_or_create(data / "signing_key.json")
    token = mint(MintRequest(("admin",), "tests", None, (), None), key, now_s=1_700_000_000, audience=None)
    return {"Authorization": f"Bearer {token}"}


async def until_closed(socket: Any) -> tuple[list[int], int, str]:
    """What came, the close code, and the cursor."""
    got = []
    try:
        while True:
            got.append(json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))["data"])
    except ConnectionClosed as closed:
        assert closed.rcvd is not None
        return got, closed.rcvd.code, closed.rcvd.reason.partition("; cursor=")[2]


async def publish(process: Process, data: Path, *values: int) -> None:
    body = {"events": [{"data": value} for value in values]}
    async with httpx2.AsyncClient(trust_env=False) as http:
        url = f"http://127.0.0.1:{process.port}{API}/channels/news/events"
        assert (await http.post(url, json=body, headers=headers(data))).status_code == 201


async def test_sigterm_loses_nothing_and_ends_with_0(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with serving(data) as one:
        await create_channel(data)
        url = f"ws://127.0.0.1:{one.port}{API}/channels/news/ws?token=canary"
        async with connect(url, proxy=None) as first, connect(url, proxy=None) as second:
            await publish(one, data, 1, 2, 3)
            one.process.send_signal(signal.SIGTERM)
            found = await asyncio.gather(until_closed(first), until_closed(second))
        assert [(got, code) for got, code, _ in found] == [([1, 2, 3], 1012)] * 2
        assert await one.ended() == 0
    async with serving(data) as other:
        await publish(other, data, 4, 5)
        url = f"ws://127.0.0.1:{other.port}{API}/channels/news/ws?cursor={found[0][2]}"
        async with connect(url, proxy=None) as again:
            assert [json.loads(await again.recv())["data"] for _ in range(2)] == [4, 5]
        other.process.send_signal(signal.SIGINT)
        assert await other.ended() == 0
    for log in (one.log, other.log):
        assert "canary" not in log
        assert '"level":"error"' not in log, log
