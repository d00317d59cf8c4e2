"""What should not happen: one line in the log, and an answer like any other."""

import logging
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.broker_server import API, BrokerServer


def fail(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("token=canary")


@pytest.fixture
async def server(broker_server: BrokerServer, monkeypatch: pytest.MonkeyPatch) -> BrokerServer:
    """A broker whose log of events is broken."""
    await broker_server.create("news")
    for name in ("newest", "append"):
        monkeypatch.setattr(broker_server.broker.log, name, fail)
    return broker_server


async def test_a_defect_is_answered_500_with_the_headers_of_every_answer(server: BrokerServer) -> None:
    answer = await server.http.get(f"{API}/channels/news/events")
    assert (answer.status_code, answer.json()) == (500, {"error": "Internal Server Error"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Request-Id"]
    assert server.running.counts == {"answer_500": 1}
    assert (await server.http.get("/healthz")).status_code == 200


async def test_a_defect_is_logged_once_with_its_trace(server: BrokerServer, caplog: pytest.LogCaptureFixture) -> None:
    headers = server.bearer("pub:*")
    answer = await server.http.post(f"{API}/channels/news/events?token=x", json={"data": 1}, headers=headers)
    assert answer.status_code == 500
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in errors] == [f"POST {API}/channels/news/events failed"]
    assert errors[0].exc_info is not None and errors[0].exc_info[0] is ZeroDivisionError


async def test_a_defect_before_a_socket_opens_refuses_it(server: BrokerServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.broker.hub, "subscribe", fail)
    with pytest.raises(InvalidStatus) as caught:
        await server.socket("/channels/news/ws")
    response = caught.value.response
    assert (response.status_code, response.body) == (500, b'{"error":"Internal Server Error"}')
    assert response.headers["Cache-Control"] == "no-store"


async def test_a_defect_on_an_open_socket_ends_it_instead_of_silencing_it(
    server: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server.socket("/channels/news/ws") as socket:
        monkeypatch.setattr("broker.subscription.Subscription.take", fail)
        channel = await server.broker.channels.find("news")
        for watched in server.broker.hub._watched.values():
            for reader in list(watched.readers):
                reader.leave_tip()
                reader.wake()
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 1011
    await server.running.settled()
    assert server.broker.hub.readers(channel) == 0


async def test_a_defect_in_a_stream_ends_it_instead_of_silencing_it(
    server: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server.http.stream("GET", f"{API}/channels/news/sse") as answer:
        monkeypatch.setattr("broker.subscription.Subscription.take", fail)
        for watched in server.broker.hub._watched.values():
            for reader in watched.readers:
                reader.wake()
        with pytest.raises(Exception, match="peer closed connection"):
            await answer.aread()
    await server.http.aclose()
    await server.running.settled()


async def test_a_socket_to_nowhere_is_refused_and_not_an_error(
    server: BrokerServer, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidStatus):
        await connect(f"ws://127.0.0.1:{server.port}/nowhere", proxy=None)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
