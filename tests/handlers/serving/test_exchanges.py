"""Several requests on one connection at once: in order, bounded, and let go together."""

import asyncio

import pytest

from handlers.serving.http_protocol import BoundedHttpProtocol
from handlers.serving.limits import ServingLimits
from tests.handlers.serving.apps import EdgeApp, parse_answers, refusal_of
from tests.serving_app import Running, ask, handshake, raw_client, running_server, until

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HOLD = b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"
STREAM = b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
LINGER = ServingLimits(linger_s=0.2)


def protocol_of(running: Running) -> BoundedHttpProtocol:
    (protocol,) = running.server.server_state.connections
    assert isinstance(protocol, BoundedHttpProtocol)
    return protocol


async def test_pipelined_requests_are_answered_in_order() -> None:
    app = EdgeApp()
    posts = b"".join(
        b"POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (i, i) + b"x" * i for i in range(20)
    )
    async with running_server(app) as running, raw_client(running.port) as client:
        await client.send(posts + LAST)
        answers = parse_answers(await client.read_to_end())
    assert [answer.status for answer in answers] == [200] * 21
    assert [answer.body.endswith(b'"body": %d}' % i) for i, answer in enumerate(answers[:-1])] == [True] * 20
    assert app.requests == [*(("POST", f"/{i}") for i in range(20)), ("GET", "/")]


async def test_a_flood_of_requests_is_all_answered_and_held_as_bytes_meanwhile() -> None:
    app, count = EdgeApp(), 2_000
    async with running_server(app) as running, raw_client(running.port) as client:
        sending = asyncio.create_task(client.send(HOLD + GET * count + LAST))
        await until(lambda: app.requests and protocol_of(running)._held)
        most = 0
        reading = asyncio.create_task(client.read_to_end())
        app.release.set()
        while not reading.done():
            for protocol in list(running.server.server_state.connections):
                assert isinstance(protocol, BoundedHttpProtocol)
                most = max(most, len(protocol._unanswered))
                assert len(protocol._held) <= 60_000
            await asyncio.sleep(0)
        await sending
        answers = parse_answers(reading.result())
    assert len(answers) == count + 2
    assert 1 < most < 400


async def test_a_bad_request_waits_for_the_answers_before_it() -> None:
    app = EdgeApp()
    async with running_server(app, LINGER) as running, raw_client(running.port) as client:
        await client.send(HOLD + GET + b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: running.counts)
        app.release.set()
        raw = await client.read_to_end()
        answers = parse_answers(raw)
    assert [answer.status for answer in answers] == [200, 200, 400]
    assert app.requests == [("GET", "/hold"), ("GET", "/")]


async def test_a_bad_body_waits_for_the_answers_before_it_and_its_app_is_not_asked() -> None:
    app = EdgeApp()
    bad = b"POST /bad HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    async with running_server(app, LINGER) as running, raw_client(running.port) as client:
        await client.send(HOLD + bad)
        await until(lambda: running.counts)
        app.release.set()
        assert [answer.status for answer in parse_answers(await client.read_to_end())] == [200, 400]
    assert app.requests == [("GET", "/hold")]


async def test_nothing_is_served_behind_an_answer_that_ends_the_connection() -> None:
    app = EdgeApp()
    async with running_server(app, LINGER) as running, raw_client(running.port) as client:
        await client.send(b"GET /close HTTP/1.1\r\nHost: x\r\n\r\n" + GET * 3)
        assert len(parse_answers(await client.read_to_end())) == 1
    assert app.requests == [("GET", "/close")]


@pytest.mark.parametrize("behind", [GET, GET * 2_000])
async def test_a_client_that_goes_away_from_a_stream_with_requests_behind_it_is_told_to_the_stream(
    behind: bytes,
) -> None:
    """uvicorn tells only the last one; the stream would stay for ever."""
    app = EdgeApp()
    async with running_server(app) as running:
        async with raw_client(running.port) as client:
            await client.send(STREAM + behind)
            await client.reader.readuntil(b"begun")
            protocol_of(running).transport.abort()
        await running.settled()
    assert app.gone == ["/stream"]
    assert app.requests == [("GET", "/stream")]


@pytest.mark.parametrize("rest", [b"\x81\x80\x00\x00\x00\x00", GET])
async def test_a_handshake_with_anything_behind_it_is_refused(rest: bytes) -> None:
    """Also where it ends with the parser's piece."""
    app = EdgeApp()
    padded = handshake("/", "A: " + "v" * (4_096 - len(handshake("/", "A: "))))
    assert len(padded) == 4_096
    async with running_server(app, LINGER) as running:
        for shake in (handshake(), padded):
            assert refusal_of(await ask(running.port, shake + rest))[0] == 400
    assert app.requests == []


async def test_a_handshake_behind_an_unanswered_request_is_refused_after_its_answer() -> None:
    app = EdgeApp()
    async with running_server(app, LINGER) as running, raw_client(running.port) as client:
        await client.send(HOLD + handshake())
        await until(lambda: running.counts)
        app.release.set()
        assert [answer.status for answer in parse_answers(await client.read_to_end())] == [200, 400]
    assert app.requests == [("GET", "/hold")]
