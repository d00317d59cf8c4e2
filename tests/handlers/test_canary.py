"""No token reaches a log, whatever route it is sent to, good or bad, in the header or the query (reliability.md E)."""

import io
import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from broker.errors import Conflict
from handlers.logs import configure_logs
from handlers.routes import all_operations
from tests.broker.forge import forge, key_of
from tests.broker_server import API, BrokerServer

CANARY = "canary-0123456789"
PARTNER = key_of("partner", 3)
PATHS = [
    (operation.method, operation.path.replace("{channel_id}", "secret").replace("{", "").replace("}", ""))
    for operation in sorted(all_operations(), key=lambda operation: operation.method == "DELETE")
]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, by whomever, at every level and in the form of production."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logging.Logger.manager.loggerDict}
    configure_logs("debug", "json", stream)
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield stream
    root.handlers, root.level = handlers, level
    for name in logging.Logger.manager.loggerDict:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


async def send_everywhere(server: BrokerServer, token: str) -> None:
    for path, given in ((f"/channels/secret/ws?token={token}", None), ("/channels/secret/ws", token)):
        try:
            async with server.socket(path, token=given) as socket:
                await socket.ping()
        except InvalidStatus as refused:
            assert refused.response.status_code == 401
    for method, path in PATHS:
        for query, headers in ((f"?token={token}", {}), ("", {"Authorization": f"Bearer {token}"})):
            content: Any = None if method == "GET" else f'{{"token": "{token}"'.encode()
            async with server.http.stream(method, path + query, headers=headers, content=content) as answer:
                assert answer.status_code < 500


async def test_no_token_is_in_any_line_of_the_log(log: io.StringIO, broker_server: BrokerServer) -> None:
    await broker_server.trust(PARTNER)
    body = {"scopes": ["admin"], "sub": CANARY}
    minted: str = (
        await broker_server.http.post(f"{API}/tokens", json=body, headers=broker_server.bearer("admin"))
    ).json()["token"]
    tokens = [minted, forge({"scopes": ["sub:secret"]}, PARTNER), minted[:-10], f"opaque-{CANARY}", f"eyJ{CANARY}.x.y"]
    for token in tokens:
        with suppress(Conflict):  # the last token may have deleted it
            await broker_server.create("secret", is_public=False)
        await send_everywhere(broker_server, token)
    await broker_server.distrust(PARTNER.kid)
    logging.getLogger("tidemark.test").info("the end")

    text = log.getvalue()
    assert "the end" in text
    assert CANARY not in text
    for token in tokens:
        assert all(part not in text for part in token.split(".") if len(part) > 10)
