"""A channel of a real broker, read through a real cache."""

import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from broker.storage.embedded import EmbeddedEngine
from tests.broker_server import API, BrokerServer, running_broker
from tests.edge.caches import Cache
from tests.edge.origin import Asked, Origin
from tests.engines import empty

PUBLIC_URL = "https://events.example.test"


@dataclass(slots=True)
class Edge:
    """A channel of a broker, read through a cache."""

    cache: Cache
    server: BrokerServer
    origin: Origin
    http: httpx2.AsyncClient
    channel: str
    engine: EmbeddedEngine

    @property
    def events(self) -> str:
        """The path of the channel's events."""
        return f"{API}/channels/{self.channel}/events"

    @property
    def asked(self) -> list[Asked]:
        """The requests for the channel's events that reached the broker."""
        return [each for each in self.origin.asked if each.method != "POST" and self.events in each.target]

    async def get(self, query: str = "", **headers: str) -> httpx2.Response:
        """Poll through the cache."""
        return await self.http.get(self.events + query, headers=headers)

    async def publish(self, *data: Any, **fields: Any) -> list[dict[str, Any]]:
        """Publish to the channel, past the cache."""
        return await self.server.publish(self.channel, *data, **fields)


@asynccontextmanager
async def opened(
    cache: Cache, listener: socket.socket, engine: EmbeddedEngine, tmp_path: Path, *, poll_interval_s: int
) -> AsyncIterator[Edge]:
    """A broker behind the cache, with a public channel whose name no test had before (the cache may remember)."""
    empty(engine.url)
    origin = Origin()
    settings: dict[str, dict[str, Any]] = {
        "server": {"trusted_proxies": ["127.0.0.1/32"], "public_url": PUBLIC_URL, "drain_s": 0.2},
        "channels": {"poll_interval_s": poll_interval_s},
    }
    key_file = tmp_path / "signing_key.json"
    async with (
        running_broker(engine.url, key_file, settings, around=origin.around, listener=listener.dup()) as server,
        httpx2.AsyncClient(
            base_url=cache.url,
            trust_env=False,
            timeout=20,
            headers={"Accept-Encoding": "identity"},
            limits=httpx2.Limits(max_connections=None),
        ) as http,
    ):
        channel = f"c{secrets.token_hex(8)}"
        await server.create(channel)
        yield Edge(cache, server, origin, http, channel, engine)
