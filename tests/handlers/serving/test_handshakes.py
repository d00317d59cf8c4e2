"""WebSocket handshakes that do not come to their end, and those that do."""

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from handlers.serving.limits import ServingLimits
from handlers.serving.ws_asked import AskedProtocol
from tests.handlers.serving.apps import EdgeApp, Receive, Scope, Send, app_of, parse_answers, refusal_of
from tests.serving_app import Running, ask, handshake, masked_frame, raw_client, running_server, until

LINGER = ServingLimits(linger_s=0.2)
QUICK = ServingLimits(handshake_s=0.5, linger_s=0.2)


async def goes_on(running: Running) -> None:
    async with connect(f"{running.socket_url}/", proxy=None) as socket:
        await socket.send("hello")
        assert await socket.recv() == "hello"


async def test_a_socket_opens_echoes_and_closes_by_its_client() -> None:
    app = EdgeApp()
    async with running_server(app) as running:
        async with connect(f"{running.socket_url}/", proxy=None) as socket:
            await socket.send("hello")
            assert await socket.recv() == "hello"
            await socket.close(1001, "bye")
            assert socket.close_code == 1001
        await running.settled()
        assert app.closes == [1001]


async def test_compression_is_not_agreed_to() -> None:
    async with (
        running_server(EdgeApp()) as running,
        connect(f"{running.socket_url}/", proxy=None, compression="deflate") as socket,
    ):
        assert socket.protocol.extensions == []


async def test_a_handshake_that_the_app_does_not_answer_gets_503_in_its_time() -> None:
    app = EdgeApp()
    app.accept.clear()
    async with running_server(app, QUICK) as running:
        assert refusal_of(await ask(running.port, handshake())) == (503, "The handshake was not answered in time")
        assert running.counts == {"handshake_slow": 1}
        app.accept.set()
        await goes_on(running)


async def test_the_time_of_a_handshake_begins_with_its_first_byte() -> None:
    """Half a handshake is half a head; what comes after it has the rest of the time only."""
    app = EdgeApp()
    app.accept.clear()
    loop = asyncio.get_running_loop()
    limits = ServingLimits(handshake_s=1, linger_s=0.2)
    async with running_server(app, limits) as running, raw_client(running.port) as client:
        whole = handshake()
        began_s = loop.time()
        await client.send(whole[:20])
        await asyncio.sleep(0.5)
        await client.send(whole[20:])
        assert refusal_of(await client.read_to_end())[0] == 503
        assert loop.time() - began_s < 1.45
        app.accept.set()


async def test_half_a_handshake_gets_408() -> None:
    async with running_server(EdgeApp(), ServingLimits(head_s=0.4, linger_s=0.2)) as running:
        assert refusal_of(await ask(running.port, handshake()[:60]))[0] == 408


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (handshake().replace(b"GET", b"POST"), 405),
        (handshake().replace(b"Version: 13", b"Version: 12"), 400),
        (handshake().replace(b"Sec-WebSocket-Version: 13\r\n", b""), 400),
        (handshake().replace(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b""), 400),
        (handshake().replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"short"), 400),
        (handshake().replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"\xff\xfe"), 400),
        (handshake("/", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400),
        (handshake("/", "Sec-WebSocket-Protocol: a b"), 400),
        (handshake("/", "Origin: http://x", "Origin: http://y"), 400),
        (handshake("/", "Content-Length: 3") + b"abc", 400),
        (handshake("/" + "a" * 9_000), 414),
        (handshake("/", *[f"A{i}: b" for i in range(100)]), 431),
        (handshake("/", "A: " + "v" * 9_000), 431),
        (handshake().replace(b"Host: test\r\n", b""), 400),
    ],
)
async def test_a_bad_handshake_gets_its_status_in_the_form_of_all_refusals(sent: bytes, status: int) -> None:
    app = EdgeApp()
    async with running_server(app, LINGER) as running:
        found, text = refusal_of(await ask(running.port, sent))
        assert (found, bool(text)) == (status, True)
        assert sum(running.counts.values()) == 1
        assert app.requests == []
        await goes_on(running)


async def test_frames_before_the_answer_to_the_handshake_are_refused() -> None:
    app = EdgeApp()
    app.accept.clear()
    async with running_server(app, LINGER) as running:
        async with raw_client(running.port) as client:
            await client.send(handshake())
            await until(lambda: app.requests)
            [connection] = running.server.server_state.connections
            assert isinstance(connection, AskedProtocol)
            await client.send(masked_frame(1, b"too soon"))
            assert refusal_of(await client.read_to_end())[0] == 400
        app.accept.set()
        assert running.counts == {"handshake_malformed": 1}
        await goes_on(running)
    assert app.messages == ["hello"]


async def test_a_client_that_leaves_before_the_answer_is_told_to_the_app() -> None:
    app = EdgeApp()
    app.accept.clear()
    async with running_server(app) as running:
        async with raw_client(running.port) as client:
            await client.send(handshake())
            await until(lambda: app.requests)
        await until(lambda: not running.server.server_state.connections)
        app.accept.set()
        await running.settled()


async def test_an_app_that_refuses_by_a_close_answers_403_in_the_form_of_all_refusals() -> None:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.close", "code": 1000})

    async with running_server(app_of(refuse)) as running:
        (answer,) = parse_answers(await ask(running.port, handshake("/?token=canary")))
        assert (answer.status, answer.body) == (403, b'{"error":"Forbidden"}')
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["access-control-allow-origin"] == "*"
        with pytest.raises(InvalidStatus):
            await connect(f"{running.socket_url}/", proxy=None)
