"""The end of a server: drained, with a status, in bounded time, and the engine last."""

import asyncio
import json
import signal
import time
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.engines import wait_for_end
from tests.serve_process import ServeProcess, serving


async def test_sigterm_closes_sockets_with_1012_and_their_cursor_and_ends_with_status_0(server: ServeProcess) -> None:
    server.create("news")
    async with server.socket("news") as one, server.socket("news") as other:
        last = (await asyncio.to_thread(server.publish, "news", 1))[-1]
        server.process.send_signal(signal.SIGTERM)
        for socket in (one, other):
            assert json.loads(await socket.recv())["id"] == last
            with pytest.raises(ConnectionClosed) as caught:
                await asyncio.wait_for(socket.recv(), 30)
            assert caught.value.rcvd is not None
            assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1012, f"restart; cursor={last}")
    assert await asyncio.to_thread(server.process.wait, 30) == 0


def test_the_engine_is_stopped_last_and_by_the_broker(server: ServeProcess) -> None:
    server.create("news")
    engine_pid = server.engine_pid
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 5
    wait_for_end(engine_pid, timeout_s=0)
    log = (server.data / "engine.log").read_text()
    assert "User requested shutdown" in log, "asked to end, not killed"
    assert not (server.data / "engine.sock").exists()


async def half_a_publish(server: ServeProcess) -> asyncio.StreamWriter:
    """A connection with a request that waits for the rest of its body."""
    server.create("news")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"POST /api/v1/channels/news/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token('admin')}\r\n"
    writer.write(head.encode() + b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
    writer.write(b"{")
    return writer


async def test_a_request_that_never_ends_does_not_keep_the_server(tmp_path: Path) -> None:
    with serving(tmp_path / "data", {"TIDEMARK_SERVER__SHUTDOWN_S": "1.0"}) as server:
        writer = await half_a_publish(server)
        began = time.monotonic()
        assert await asyncio.to_thread(server.stop) == 0
        assert 0.9 < time.monotonic() - began < 4
        writer.close()


async def test_a_second_sigterm_ends_at_once_and_still_stops_the_engine(tmp_path: Path) -> None:
    with serving(tmp_path / "data", {"TIDEMARK_SERVER__SHUTDOWN_S": "60"}) as server:
        writer, engine_pid = await half_a_publish(server), server.engine_pid
        server.process.send_signal(signal.SIGTERM)
        while await asyncio.to_thread(server.is_ready):
            await asyncio.sleep(0.01)
        assert server.process.poll() is None, "it waits for the request"
        began = time.monotonic()
        assert await asyncio.to_thread(server.stop) == 0
        assert time.monotonic() - began < 4
        wait_for_end(engine_pid, timeout_s=0)
        writer.close()


def test_ctrl_c_ends_as_sigterm_does(server: ServeProcess) -> None:
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 0
