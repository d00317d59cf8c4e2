"""Request heads as nobody should send them: each gets its answer in bounded time, and the server goes on serving."""

import asyncio

import pytest

from handlers.serving.limits import ServingLimits
from tests.handlers.serving.apps import EdgeApp, parse_answers, refusal_of
from tests.serving_app import Running, ask, raw_client, running_server

GOOD = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SMALL = ServingLimits(head_bytes=1_024, head_lines=20, head_line_bytes=512, linger_s=0.2)
QUICK = ServingLimits(head_s=0.5, linger_s=0.2)


async def goes_on(running: Running) -> None:
    (answer,) = parse_answers(await ask(running.port, GOOD))
    assert answer.status == 200


POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
MALFORMED = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
    "two hosts over 1.0": b"GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n",
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "the same length twice": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "length and chunked": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "chunked, then identity": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "gzip, chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked behind a tab": POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunked over 1.0": b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "negative length": POST + b"Content-Length: -3\r\n\r\nabc",
    "hexadecimal length": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "endless length": POST + b"Content-Length: 99999999999999999999999\r\n\r\nabc",
    "folded line": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "folded host": b"GET / HTTP/1.1\r\nHost:\r\n x\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: x\n\n",
    "one bare line feed": b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    "bare carriage return": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
    "nul in a value": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
    "space in a name": b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost: x\r\nabc\r\n\r\n",
    "space in the target": b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    "letters outside ascii": b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "a target that is no path": b"GET x HTTP/1.1\r\nHost: x\r\n\r\n",
    "an absolute target without a path": b"GET http://x HTTP/1.1\r\nHost: x\r\n\r\n",
    "connect": b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown method": b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown version": b"GET / HTTP/1.2\r\nHost: x\r\n\r\n",
    "version 0.9": b"GET /\r\n\r\n",
    "http/2 by knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a redis command": b"*1\r\n$4\r\nPING\r\n",
    "noise": bytes(range(1, 256)),
}


async def test_what_is_no_http_gets_400_and_the_end() -> None:
    app = EdgeApp()
    async with running_server(app, SMALL) as running:
        for name, sent in MALFORMED.items():
            status, text = refusal_of(await ask(running.port, sent))
            assert (status, bool(text)) == (400, True), name
        assert app.requests == []
        assert running.counts == {"head_malformed": len(MALFORMED)}
        await goes_on(running)


@pytest.mark.parametrize(
    "name", ["chunked and length", "two lengths", "chunked twice", "xchunked", "one bare line feed"]
)
async def test_a_request_smuggled_behind_a_bad_head_is_never_served(name: str) -> None:
    app = EdgeApp()
    async with running_server(app, SMALL) as running:
        refusal_of(await ask(running.port, MALFORMED[name] + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"))
        assert app.requests == []


@pytest.mark.parametrize("size", [2_000_000, 1_025])
async def test_a_head_that_is_too_large_gets_431(size: int) -> None:
    async with running_server(EdgeApp(), SMALL) as running:
        lines = b"".join(b"A%d: %b\r\n" % (i, b"v" * 400) for i in range(size // 400 + 1))
        assert refusal_of(await ask(running.port, b"GET / HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n"))[0] == 431
        assert running.counts == {"head_too_large": 1}
        await goes_on(running)


async def test_a_head_is_bounded_while_it_is_unfinished() -> None:
    """Nothing says when it will end, so nobody waits for that."""
    async with running_server(EdgeApp(), SMALL) as running:
        for sent in (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"v" * 9_000, b"\r\n" * 5_000):
            assert refusal_of(await ask(running.port, sent))[0] == 431
        assert refusal_of(await ask(running.port, b"GET /" + b"a" * 9_000))[0] == 414


async def test_each_bound_of_the_head_holds_at_the_limit_and_not_beyond() -> None:
    def head(target: int = 1, value: int = 1, lines: int = 0) -> bytes:
        more = b"A: b\r\n" * lines
        return b"GET /%b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%bV: %b\r\n\r\n" % (
            b"a" * target,
            more,
            b"v" * value,
        )

    request_line, header_line = len(b"GET / HTTP/1.1\r\n"), len(b"V: \r\n")
    async with running_server(EdgeApp(), SMALL) as running:
        for fits, status in ((0, 200), (1, 414)):
            raw = await ask(running.port, head(target=512 - request_line + fits))
            assert parse_answers(raw)[0].status == status
        for fits, status in ((0, 200), (1, 431)):
            raw = await ask(running.port, head(value=512 - header_line + fits))
            assert parse_answers(raw)[0].status == status
            raw = await ask(running.port, head(lines=17 + fits))
            assert parse_answers(raw)[0].status == status
        rest = 1_024 - len(head(target=490, value=0))
        for fits, status in ((0, 200), (1, 431)):
            assert parse_answers(await ask(running.port, head(target=490, value=rest + fits)))[0].status == status


async def test_a_silent_connection_is_closed_without_a_word() -> None:
    async with running_server(EdgeApp(), QUICK) as running:
        assert await ask(running.port, b"") == b""
        assert running.counts == {"silent": 1}
        await goes_on(running)


async def test_half_a_head_gets_408() -> None:
    async with running_server(EdgeApp(), QUICK) as running:
        halves = (b"GET / HTTP/1.1\r\nHost: x\r\n", b"G", b"\r\n")
        for raw in await asyncio.gather(*(ask(running.port, half) for half in halves)):
            assert refusal_of(raw)[0] == 408
        assert running.counts == {"head_slow": 3}


async def test_a_head_that_comes_line_by_line_has_no_more_time_than_another() -> None:
    async with running_server(EdgeApp(), QUICK) as running, raw_client(running.port) as client:
        reading = asyncio.create_task(client.read_to_end())
        await client.send(b"GET / HTTP/1.1\r\n")
        while not reading.done():
            client.writer.write(b"A: b\r\n")
            await asyncio.wait([reading], timeout=0.02)
        assert refusal_of(reading.result())[0] == 408
        await goes_on(running)


async def test_the_second_head_of_a_connection_has_its_time_too() -> None:
    """Which is not that of an idle connection."""
    limits = ServingLimits(head_s=0.6, keep_alive_s=0.2, linger_s=0.2)
    async with running_server(EdgeApp(), limits) as running, raw_client(running.port) as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT")
        assert (await client.read_answer()).startswith(b"HTTP/1.1 200")
        assert refusal_of(await client.read_to_end())[0] == 408


async def test_an_idle_connection_is_closed_after_the_keep_alive() -> None:
    async with (
        running_server(EdgeApp(), ServingLimits(keep_alive_s=0.2)) as running,
        raw_client(running.port) as client,
    ):
        await client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await client.read_answer()
        assert await client.read_to_end() == b""
        assert running.counts == {}


async def test_a_head_in_single_bytes_is_a_head() -> None:
    async with running_server(EdgeApp()) as running, raw_client(running.port) as client:
        for byte in GOOD:
            await client.send(bytes([byte]))
            await asyncio.sleep(0)
        (answer,) = parse_answers(await client.read_to_end())
        assert answer.status == 200


async def test_http_1_0_is_served_and_closed() -> None:
    async with running_server(EdgeApp()) as running:
        (answer,) = parse_answers(await ask(running.port, b"GET / HTTP/1.0\r\n\r\n"))
        assert (answer.status, answer.headers["connection"]) == (200, "close")


OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + OFFER + b"\r\n", 0),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n" + OFFER + b"\r\nhello", 5),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + OFFER + b"\r\n2\r\nab\r\n0\r\n\r\n", 2),
        (b"POST / HTTP/1.0\r\nContent-Length: 5\r\n" + OFFER + b"\r\nhello", 5),
        (b"GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 0),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: TLS/1.0, HTTP/2.0\r\n\r\n", 0),
    ],
)
async def test_an_offer_that_is_not_taken_is_ignored(sent: bytes, body: int) -> None:
    async with running_server(EdgeApp()) as running, raw_client(running.port) as client:
        for part in (sent, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
            await client.send(part)
            if b"HTTP/1.0" in part:
                break
        first, *_ = parse_answers(await client.read_to_end())
        assert (first.status, b'"body": %d' % body in first.body) == (200, True)
        assert running.counts == {}


async def test_any_odd_byte_gets_an_answer_or_the_end() -> None:
    """What is left of it all is looked at by `running_server`."""
    async with running_server(EdgeApp(), SMALL) as running:
        whole = GOOD.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\nabc")
        for place in range(0, len(whole), 3):
            for odd in (b"\x00", b"\r", b"\n", b" ", b":", b"\xff"):
                async with raw_client(running.port) as client:
                    await client.send(whole[:place] + odd + whole[place + 1 :])
                    client.writer.write_eof()
                    raw = await client.read_to_end()
                    assert not raw.startswith(b"HTTP/1.1 5"), (place, odd, raw)
        await goes_on(running)
