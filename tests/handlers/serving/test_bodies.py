"""Request bodies: malformed, late, unread, or longer than the app cares for."""

import asyncio

import pytest

from handlers.serving.limits import ServingLimits
from tests.handlers.serving.apps import EdgeApp, Receive, Scope, Send, app_of, parse_answers, refusal_of
from tests.serving_app import Running, ask, raw_client, running_server, until

POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
LINGER = ServingLimits(linger_s=0.2)
QUICK = ServingLimits(body_s=0.5, body_min_bytes_per_s=10_000, linger_s=0.2)


async def goes_on(running: Running) -> None:
    (answer,) = parse_answers(await ask(running.port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    assert answer.status == 200


BAD_CHUNKS = {
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "no number": b"zz\r\nhello\r\n0\r\n\r\n",
    "prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "sign": b"-5\r\nhello\r\n0\r\n\r\n",
    "space": b"5 \r\nhello\r\n0\r\n\r\n",
    "endless size": b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "too short": b"5\r\nhell\r\n0\r\n\r\n",
    "too long": b"5\r\nhello!\r\n0\r\n\r\n",
    "bare line feed": b"5\nhello\n0\n\n",
    "nul": b"5\x00\r\nhello\r\n0\r\n\r\n",
}


async def test_a_malformed_chunk_gets_400_and_the_app_learns_that_the_client_is_gone() -> None:
    app = EdgeApp()
    async with running_server(app, LINGER) as running:
        for name, body in BAD_CHUNKS.items():
            assert refusal_of(await ask(running.port, CHUNKED + body)) == (400, "Malformed request body"), name
        assert running.counts == {"body_malformed": len(BAD_CHUNKS)}
        await goes_on(running)
    assert app.gone == ["/"] * len(BAD_CHUNKS)


@pytest.mark.parametrize("end", [b"0\r\nA: b\r\nHost: evil\r\nExpect: 100-continue\r\n\r\n", b"0;a=b\r\n\r\n"])
async def test_trailers_and_extensions_are_read_and_dropped(end: bytes) -> None:
    async with running_server(EdgeApp()) as running, raw_client(running.port) as client:
        await client.send(CHUNKED + b"5;a=b\r\nhello\r\n" + end)
        (answer,) = parse_answers(await client.read_answer())
        assert b'"body": 5' in answer.body and b"evil" not in answer.body
        await client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await client.read_answer()).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("endless", [b"5;" + b"x" * 40_000, b"0\r\n" + b"A: b\r\n" * 7_000])
async def test_trailers_and_extensions_have_the_bound_of_a_head(endless: bytes) -> None:
    async with running_server(EdgeApp(), LINGER) as running:
        assert refusal_of(await ask(running.port, CHUNKED + endless))[0] == 431
        await goes_on(running)


async def test_half_a_body_gets_408() -> None:
    app = EdgeApp()
    async with running_server(app, QUICK) as running:
        halves = (POST + b"Content-Length: 9\r\n\r\nhalf", CHUNKED + b"5\r\nhe", CHUNKED)
        for raw in await asyncio.gather(*(ask(running.port, half) for half in halves)):
            assert refusal_of(raw) == (408, "Request body not received in time")
        assert running.counts == {"body_slow": 3}
        await goes_on(running)
    assert app.gone == ["/"] * 3


async def test_a_body_may_take_as_long_as_it_keeps_its_pace() -> None:
    """10 KB/s and half a second are asked for: 60 KB may take 6.5 s, and take more than half a second."""
    async with running_server(EdgeApp(), QUICK) as running, raw_client(running.port) as client:
        await client.send(POST + b"Content-Length: 60000\r\nConnection: close\r\n\r\n")
        for _ in range(12):
            await client.send(b"x" * 5_000)
            await asyncio.sleep(0.05)
        (answer,) = parse_answers(await client.read_to_end())
        assert (answer.status, b'"body": 60000' in answer.body) == (200, True)


async def test_a_body_that_trickles_gets_408() -> None:
    async with running_server(EdgeApp(), QUICK) as running, raw_client(running.port) as client:
        reading = asyncio.create_task(client.read_to_end())
        await client.send(POST + b"Content-Length: 60000\r\n\r\n")
        while not reading.done():
            client.writer.write(b"x")
            await asyncio.wait([reading], timeout=0.05)
        assert refusal_of(reading.result())[0] == 408


async def test_a_body_that_waits_for_an_earlier_answer_is_not_late() -> None:
    """The server does not read meanwhile, so that the client cannot go on."""
    app = EdgeApp()
    limits = ServingLimits(body_s=0.3, linger_s=0.2)
    async with running_server(app, limits) as running, raw_client(running.port) as client:
        await client.send(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n" + POST + b"Content-Length: 5\r\n\r\nhe")
        await asyncio.sleep(0.6)
        app.release.set()
        assert (await client.read_answer()).startswith(b"HTTP/1.1 200")
        await client.send(b"llo")
        assert b'"body": 5' in await client.read_answer()
        assert running.counts == {}


async def test_an_answer_that_does_not_wait_for_the_body_leaves_the_connection_usable() -> None:
    async with running_server(EdgeApp()) as running, raw_client(running.port) as client:
        await client.send(b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n")
        assert (await client.read_answer()).startswith(b"HTTP/1.1 200")
        await client.send(b"x" * 200_000 + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await client.read_answer()).startswith(b"HTTP/1.1 200")


async def test_a_connection_is_idle_after_a_body_that_came_behind_its_answer() -> None:
    """uvicorn's keep-alive timer ends with the first byte of the rest, and nothing sets it again."""
    async with (
        running_server(EdgeApp(), ServingLimits(keep_alive_s=0.3)) as running,
        raw_client(running.port) as client,
    ):
        await client.send(b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n")
        await client.read_answer()
        await client.send(b"x" * 20)
        assert await client.read_to_end() == b""
        assert running.counts == {}


async def test_the_rest_of_an_unread_body_is_not_waited_for_longer_than_a_body() -> None:
    limits = ServingLimits(body_s=0.3, body_min_bytes_per_s=1, keep_alive_s=5, linger_s=0.1)
    async with running_server(EdgeApp(), limits) as running, raw_client(running.port) as client:
        await client.send(b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n")
        await client.read_answer()
        assert await client.read_to_end() == b""
        assert running.counts == {"body_slow": 1}


async def test_an_answer_that_ends_the_connection_arrives_though_the_body_goes_on() -> None:
    """A close with unread bytes at hand sends a reset, which would destroy the answer."""
    body = b"x" * 3_000_000

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"2"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": b"no"})

    async with running_server(app_of(refuse)) as running, raw_client(running.port) as client:
        await client.send(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        (answer,) = parse_answers(await client.read_to_end())
        assert (answer.status, answer.body) == (413, b"no")


async def test_expect_100_continue_is_answered_when_the_app_wants_the_body() -> None:
    async with running_server(EdgeApp()) as running, raw_client(running.port) as client:
        await client.send(POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(b"hello")
        assert b'"body": 5' in await client.read_answer()


async def test_expect_100_continue_without_a_wish_for_the_body_ends_the_connection() -> None:
    async with running_server(EdgeApp(), LINGER) as running:
        head = b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        (answer,) = parse_answers(await ask(running.port, head))
        assert answer.status == 200


async def test_a_body_refused_before_the_app_asked_for_it_does_not_trouble_the_app() -> None:
    """It asks later, for a body whose connection has ended."""
    app = EdgeApp()
    async with running_server(app, LINGER) as running:
        head = b"POST /hold HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        assert refusal_of(await ask(running.port, head + b"zz\r\n"))[0] == 400
        app.release.set()
    assert app.gone == ["/hold"]


async def test_an_answer_that_has_begun_breaks_off_where_its_body_turns_bad() -> None:
    app = EdgeApp()

    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        await app.read(scope, receive)

    async with running_server(app_of(early), LINGER) as running, raw_client(running.port) as client:
        await client.send(CHUNKED)
        await client.reader.readuntil(b"\r\n\r\n")
        await client.send(b"zz\r\n")
        assert await client.read_to_end() == b""
    assert app.gone == ["/"]


async def test_a_client_that_goes_away_amid_its_body_is_told_to_the_app() -> None:
    app = EdgeApp()
    async with running_server(app) as running:
        async with raw_client(running.port) as client:
            await client.send(POST + b"Content-Length: 9\r\n\r\nhalf")
            await until(lambda: app.requests)
        await running.settled()
        assert app.gone == ["/"]
