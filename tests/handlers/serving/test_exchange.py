"""Answers of apps as bytes on the wire: one for each request, framed, and no app writes outside of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from handlers.serving.exchange import Exchange
from handlers.serving.whole_answer import WHOLE
from tests.handlers.serving.apps import Receive, Send, app_of, parse_answers
from tests.serving_app import ask, raw_client, running_server

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
LAST = GET + b"Connection: close\r\n\r\n"
LENGTH_2 = (b"content-length", b"2")

Act = Callable[[Send, Receive], Awaitable[None]]


def answering(act: Act) -> Any:
    """An app that does this for each request."""
    return app_of(lambda _, receive, send: act(send, receive))


def start(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(data: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def failures(caplog: pytest.LogCaptureFixture) -> set[str]:
    """What the log told of apps that failed, once."""
    failed = {record.getMessage() for record in caplog.records if record.exc_info}
    caplog.clear()
    return failed


async def told(*messages: dict[str, Any], request: bytes = LAST) -> bytes:
    """What a client is told when the app sends these."""

    async def act(send: Send, receive: Receive) -> None:
        for message in messages:
            await send(message)

    async with running_server(answering(act)) as running:
        return await ask(running.port, request)


def undated(answers: bytes) -> list[bytes]:
    return [line for line in answers.split(b"\r\n") if not line.startswith(b"date: ")]


def whole(data: bytes, *, status: int = 200, lines: bytes = b"") -> dict[str, Any]:
    length = b"content-length: %d\r\n" % len(data)
    return {"type": WHOLE, "status": status, "lines": lines + length, "body": data}


async def test_an_answer_in_one_message_is_what_it_would_be_in_two() -> None:
    for request in (LAST, b"HEAD" + LAST[3:], LAST.replace(b"close", b"keep-alive") + LAST):
        lines = b"x-a: 1\r\n"
        one = await told(whole(b"hi", status=201, lines=lines), request=request)
        two = await told(start((b"x-a", b"1"), LENGTH_2, status=201), body(b"hi"), request=request)
        assert undated(one) == undated(two)


async def test_an_answer_in_one_message_is_not_a_second_one(caplog: pytest.LogCaptureFixture) -> None:
    told_of = await told(start(LENGTH_2), whole(b"no"))
    assert b"no" not in told_of
    assert failures(caplog) == {"an app failed"}


async def test_an_answer_of_known_length_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[bytes] = []
    begin = Exchange.__init__

    def watched(self: Exchange, scope: Any, transport: Any, *rest: Any, **named: Any) -> None:
        class Watched:
            is_closing = transport.is_closing

            def write(self, data: bytes) -> None:
                writes.append(data)
                transport.write(data)

        begin(self, scope, Watched(), *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Exchange, "__init__", watched)
    (answer,) = parse_answers(await told(start(LENGTH_2), body(b"ok")))
    assert (answer.status, answer.body, len(writes)) == (200, b"ok", 1)


async def test_a_head_whose_body_is_long_in_coming_goes_before_it() -> None:
    release = asyncio.Event()

    async def act(send: Send, receive: Receive) -> None:
        await send(start(LENGTH_2))
        await release.wait()
        await send(body(b"ok"))

    async with running_server(answering(act)) as running, raw_client(running.port) as client:
        await client.send(LAST)
        assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        release.set()
        assert await client.reader.read() == b"ok"


async def test_an_answer_without_a_length_is_chunked() -> None:
    head, _, rest = (await told(start(), body(b"a", more=True), body(b"bc"))).partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head and rest == b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"


async def test_what_an_app_says_of_the_connection_is_said_and_close_is_done() -> None:
    upgrade = (b"connection", b"Upgrade")
    (answer, *_) = parse_answers(await told(start(upgrade, LENGTH_2, status=426), body(b"ok")))
    assert answer.status == 426
    head = (await told(start((b"connection", b"close"), LENGTH_2), body(b"ok"), request=GET + b"\r\n")).lower()
    assert head.count(b"connection: close") == 1
    assert b"connection: upgrade" in (await told(start(upgrade, LENGTH_2), body(b"ok"))).lower()


async def test_the_answer_to_head_has_no_body() -> None:
    head, _, rest = (await told(start(LENGTH_2), body(b"ok"), request=LAST.replace(b"GET", b"HEAD"))).partition(
        b"\r\n\r\n"
    )
    assert b"content-length: 2" in head and rest == b""


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_that_has_no_body_has_no_framing_either(status: int) -> None:
    told_of = await told(start(status=status), body(b""))
    assert told_of.startswith(b"HTTP/1.1 %d " % status) and told_of.endswith(b"\r\n\r\n")
    assert b"transfer-encoding" not in told_of and b"content-length" not in told_of


async def test_a_status_without_a_name_is_written_too() -> None:
    assert (await told(start(LENGTH_2, status=299), body(b"ok"))).startswith(b"HTTP/1.1 299 \r\n")


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: x", b"a\nb", b"a\rb", b"a\0b"])
async def test_no_header_holds_another(value: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (answer,) = parse_answers(await told(start((b"x", value), LENGTH_2), body(b"ok")))
    assert answer.status == 500 and "x" not in answer.headers and "set-cookie" not in answer.headers
    assert failures(caplog) == {"an app failed"}


@pytest.mark.parametrize("sent", [b"", b"o", b"okay"])
async def test_a_body_of_another_length_ends_the_connection(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    told_of = await told(start(LENGTH_2), body(sent), request=GET + b"\r\n")
    assert not told_of.endswith(b"okay") and told_of.partition(b"\r\n\r\n")[2] in (b"", b"o")
    assert failures(caplog) == {"an app failed"}


async def test_an_app_that_fails_before_it_answers_is_a_500_and_after_it_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails(send: Send, receive: Receive) -> None:
        raise ValueError("a defect")

    async def breaks_off(send: Send, receive: Receive) -> None:
        await send(start())
        await send(body(b"a", more=True))
        raise ValueError("a defect")

    async with running_server(answering(fails)) as running:
        (answer,) = parse_answers(await ask(running.port, GET + b"\r\n"))
        assert (answer.status, answer.headers["connection"]) == (500, "close")
    async with running_server(answering(breaks_off)) as running:
        assert (await ask(running.port, GET + b"\r\n")).endswith(b"1\r\na\r\n")
    assert failures(caplog) == {"an app failed"}


async def test_messages_out_of_turn_are_a_defect_of_the_app() -> None:
    for messages in ([body(b"ok")], [start(LENGTH_2), start(LENGTH_2)], [start(LENGTH_2), body(b"ok"), body(b"ok")]):
        errors: list[str] = []

        async def act(send: Send, receive: Receive) -> None:
            try:
                for message in messages:  # noqa: B023
                    await send(message)
            except RuntimeError as error:
                errors.append(str(error))  # noqa: B023

        async with running_server(answering(act)) as running:
            await ask(running.port, LAST)
        assert len(errors) == 1 and "out of turn" in errors[0]


async def test_two_who_wait_both_learn_that_the_client_is_gone() -> None:
    heard: list[str] = []
    both = asyncio.Event()

    async def wait(receive: Receive) -> None:
        while (message := await receive())["type"] != "http.disconnect":
            assert not message["more_body"]
        heard.append(message["type"])
        if len(heard) == 2:
            both.set()

    async def act(send: Send, receive: Receive) -> None:
        await asyncio.gather(wait(receive), wait(receive))

    async with running_server(answering(act)) as running:
        async with raw_client(running.port) as client:
            await client.send(GET + b"\r\n")
            while not running.server.server_state.tasks:
                await asyncio.sleep(0)
        await asyncio.wait_for(both.wait(), 20)
