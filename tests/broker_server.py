"""A whole broker for tests: the real app on a real uvicorn in the test's own loop, on a real engine.

In the test's loop so that a test can reach in (drop feed messages, start a drain); `tests/flows` also has tests that
start `./run serve` as a process and kill it.
"""

import socket
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
from websockets.asyncio.client import connect

from broker.channel_changes import ChannelLimits, apply_patch
from broker.channels import ChannelRecord, NewChannel
from broker.config_sources import load_settings
from broker.signing import SigningKey
from broker.signing_file import load_or_create
from broker.tokens import MintRequest, mint
from handlers.app import create_app
from handlers.broker import Broker
from handlers.metrics import readings
from handlers.metrics.meter import Meter
from handlers.serving.drain import Drain
from handlers.serving.refusals import Refusals
from handlers.wiring import serving_limits_of, tls_of
from tests.broker.forge import Key
from tests.serving_app import Running, running_server

API = "/api/v1"


PATIENT = {"reply_timeout_s": 10.0}
"""`[engine]` for brokers whose tests are not about an engine that is slow: a machine under load is."""


@dataclass(slots=True)
class BrokerServer:
    """A running broker: where it listens, its parts, and tokens for it."""

    port: int
    broker: Broker
    drain: Drain
    signing_key: SigningKey
    http: httpx2.AsyncClient
    running: Running

    @property
    def url(self) -> str:
        """The origin that it serves."""
        return f"http://127.0.0.1:{self.port}"

    def token(
        self, *scopes: str, sub: str | None = None, name: str | None = None, expires_in_s: int | None = None
    ) -> str:
        """A signed token with these scopes."""
        request = MintRequest(scopes, sub, name, (), expires_in_s)
        return mint(request, self.signing_key, now_s=time.time(), audience=None)

    def bearer(self, *scopes: str, sub: str | None = None) -> dict[str, str]:
        """The header of a token with these scopes."""
        return {"Authorization": f"Bearer {self.token(*scopes, sub=sub)}"}

    async def create(self, channel_id: str, *, is_public: bool = True, config: Any = None) -> ChannelRecord:
        """Create a channel."""
        return await self.broker.channels.create(NewChannel(channel_id, channel_id, is_public=is_public, config=config))

    async def change(self, channel_id: str, **fields: Any) -> ChannelRecord:
        """Patch a channel."""
        return await self.broker.channels.change(
            channel_id, lambda record: apply_patch(record, fields, ChannelLimits())
        )

    async def trust(self, key: Key, **members: Any) -> dict[str, Any]:
        """Trust a key as an admin does over HTTP, and answer it as it is trusted."""
        body = {"kid": key.kid, "x": key.x, **members}
        answer = await self.http.post(f"{API}/keys", json=body, headers=self.bearer("admin"))
        assert answer.status_code == 201, answer.text
        trusted: dict[str, Any] = answer.json()
        return trusted

    async def distrust(self, kid: str) -> None:
        """Remove a trusted key as an admin does over HTTP."""
        answer = await self.http.delete(f"{API}/keys/{kid}", headers=self.bearer("admin"))
        assert answer.status_code == 200, answer.text

    async def publish(self, channel_id: str, *data: Any, **fields: Any) -> list[dict[str, Any]]:
        """Publish a batch with these data and answer the events."""
        body = {"events": [{"data": value, **fields} for value in data]}
        headers = self.bearer("admin", sub="tests")
        answer = await self.http.post(f"{API}/channels/{channel_id}/events", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        events: list[dict[str, Any]] = answer.json()["events"]
        return events

    def socket(self, path: str, token: str | None = None, **options: Any) -> connect:
        """A WebSocket to a path of the API."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        url = f"ws://127.0.0.1:{self.port}{API}{path}"
        return connect(url, proxy=None, compression=None, additional_headers=headers, **options)


@asynccontextmanager
async def running_broker(
    engine_url: str,
    key_file: Path,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    around: Callable[[Any], Any] = lambda app: app,
    listener: socket.socket | None = None,
    admin: Sequence[socket.socket] = (),
    metrics: Path | None = None,
    trusts: ssl.SSLContext | None = None,
) -> AsyncIterator[BrokerServer]:
    """Serve a broker on a free port until the block ends; it is drained like by SIGTERM.

    `around` may put ASGI middleware around the app; a bound `listener` may be given instead of a free port.
    `admin` are bound sockets of an admin listener, `metrics` a directory that is shared with other brokers.
    `trusts` is what the client trusts where the settings have a certificate.
    """
    settings = load_settings(None, {}, {"server": {"drain_s": 0.2}, **(overrides or {})})
    signing_key, drain = load_or_create(key_file), Drain()
    with tempfile.TemporaryDirectory() as own, Meter(metrics or Path(own)) as meter:
        refusals = Refusals()
        tls = tls_of(settings)
        app = create_app(settings, signing_key, engine_url, drain, refusals, meter, admin)
        async with (
            running_server(
                around(app), serving_limits_of(settings), drain, refusals, listener=listener, tls=tls
            ) as running,
            httpx2.AsyncClient(
                base_url=running.base_url if tls is None else f"https://127.0.0.1:{running.port}",
                # What is trusted takes 40 ms to be read, which those who do not need it are spared.
                verify=trusts or tls is not None,
                trust_env=False,
                timeout=20,
            ) as http,
        ):
            meter.add(partial(readings.read_meter, meter))
            meter.add(partial(readings.read_gate, running.gate))
            meter.add(readings.reader_of_process(lambda: drain.started))
            yield BrokerServer(running.port, app.state.broker, drain, signing_key, http, running)
