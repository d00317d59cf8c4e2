"""A whole broker for tests: the real app on a real uvicorn in the test's own loop, on a real engine.

In the test's loop so that a test can reach in (drop feed messages, start a drain); `tests/flows` also has tests that
start `./run serve` as a process and kill it.
"""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
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
from handlers.serving.drain import Drain
from handlers.wiring import serving_limits_of
from tests.serving_app import running_server

API = "/api/v1"


@dataclass(slots=True)
class BrokerServer:
    """A running broker: where it listens, its parts, and tokens for it."""

    port: int
    broker: Broker
    drain: Drain
    signing_key: SigningKey
    http: httpx2.AsyncClient

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
    engine_url: str, key_file: Path, overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> AsyncIterator[BrokerServer]:
    """Serve a broker on a free port until the block ends; it is drained like by SIGTERM."""
    settings = load_settings(None, {}, {"server": {"drain_s": 0.2}, **(overrides or {})})
    signing_key, drain = load_or_create(key_file), Drain()
    app = create_app(settings, signing_key, engine_url, drain)
    async with (
        running_server(app, serving_limits_of(settings), drain) as running,
        httpx2.AsyncClient(base_url=running.base_url, trust_env=False, timeout=20) as http,
    ):
        yield BrokerServer(running.port, app.state.broker, drain, signing_key, http)
