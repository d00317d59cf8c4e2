"""What an app may send when; that it arrives is in the tests that talk to real sockets."""

from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect

from handlers.serving.ws_app import ClientDisconnected
from tests.handlers.serving.apps import EdgeApp, refusal_of
from tests.serving_app import ask, handshake, running_server, until


class Script(EdgeApp):
    """Sends these messages to every socket, and remembers what was raised."""

    def __init__(self, *said: dict[str, Any]) -> None:
        super().__init__()
        self.said = said
        self.raised: list[type[BaseException]] = []

    async def socket(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        await receive()
        for message in self.said:
            try:
                await send(message)
            except (RuntimeError, OSError) as error:
                self.raised.append(type(error))


ACCEPT = {"type": "websocket.accept"}
START = {"type": "websocket.http.response.start", "status": 404, "headers": [(b"x", b"y")]}


@pytest.mark.parametrize(
    ("said", "raised"),
    [
        ([{"type": "websocket.send", "text": "x"}, ACCEPT], [RuntimeError]),
        ([{"type": "http.response.start", "status": 200}, ACCEPT], [RuntimeError]),
        ([ACCEPT, ACCEPT], [RuntimeError]),
        ([ACCEPT, {"type": "websocket.close"}, {"type": "websocket.send", "text": "x"}], [ClientDisconnected]),
    ],
)
async def test_a_message_that_does_not_fit_raises_and_harms_nothing(said: list[Any], raised: list[type]) -> None:
    app = Script(*said)
    async with running_server(app) as running:
        async with connect(f"{running.socket_url}/", proxy=None):
            await until(lambda: app.raised)
        await running.settled()
    assert app.raised == raised


async def test_an_answer_in_parts_is_sent_whole() -> None:
    body = {"type": "websocket.http.response.body"}
    app = Script(START, {**body, "body": b"no", "more_body": True}, {**body, "body": b"pe"}, ACCEPT)
    async with running_server(app) as running:
        raw = await ask(running.port, handshake())
    assert raw.startswith(b"HTTP/1.1 404 Not Found\r\n") and raw.endswith(b"\r\n\r\nnope")
    assert app.raised == [ClientDisconnected]


async def test_an_app_that_ends_without_an_answer_is_answered_500() -> None:
    async with running_server(Script()) as running:
        assert refusal_of(await ask(running.port, handshake()))[0] == 500


async def test_an_app_that_fails_after_its_accept_ends_the_socket(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(EdgeApp):
        async def socket(self, scope: Any, receive: Any, send: Any) -> None:
            await send(ACCEPT)
            raise ZeroDivisionError

    async with running_server(Failing()) as running:
        async with connect(f"{running.socket_url}/", proxy=None) as client:
            await client.wait_closed()
            assert client.close_code == 1011
        await running.settled()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == ["a socket's app failed"]
    caplog.clear()


async def test_the_subprotocol_of_the_app_is_agreed_to() -> None:
    app = Script({**ACCEPT, "subprotocol": "b"})
    offered: Any = ["a", "b"]
    async with (
        running_server(app) as running,
        connect(f"{running.socket_url}/", proxy=None, subprotocols=offered) as client,
    ):
        assert client.subprotocol == "b"
