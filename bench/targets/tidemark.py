"""Tidemark as it is shipped: `python -m handlers serve` with its embedded engine, tokens, schemas and all features.

Only limits that are there to keep one client from taking everything are raised, as here one client is everything.
"""

import asyncio
import http.client
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from redis import Redis

from bench.cores import pin
from bench.event import BATCH_EVENTS, CHANNEL, CONFIG, batch_body, publish_body
from bench.processes import NotServing, answers, free_port, running, split_family
from bench.requests import bearer, get, post, upgrade
from bench.stage import Stage
from bench.target import Readers, Requests, Target
from broker.channels import NewChannel
from broker.storage.channels import Channels
from broker.storage.engine import open_engine
from broker.storage.engine_files import attach_url

API = "/api/v1/channels"
EVENTS = f"{API}/{CHANNEL}/events"
PAGE_EVENTS = 100
MOST_CHANNELS = 1_000_000
ENVIRON = {
    "TIDEMARK_SERVER__DRAIN_S": "0",
    "TIDEMARK_LOG__LEVEL": "warning",
    "TIDEMARK_OUTBOUND__ALLOW": '["127.0.0.0/8"]',
    "TIDEMARK_CHANNELS__RETENTION_EVENTS": "10000000",
    "TIDEMARK_CHANNELS__MAX_LAG_EVENTS": "10000000",
    "TIDEMARK_LIMITS__CHANNELS": "1000000",
    "TIDEMARK_LIMITS__CONNECTIONS": "100000",
    "TIDEMARK_LIMITS__CONNECTIONS_PER_S": "1000000",
    "TIDEMARK_LIMITS__CONNECTION_BURST": "1000000",
    "TIDEMARK_LIMITS__CONNECTIONS_PER_ADDRESS": "100000",
    "TIDEMARK_LIMITS__CONNECTIONS_PER_TOKEN": "100000",
    "TIDEMARK_LIMITS__HANDSHAKE_S": "60",
    "TIDEMARK_LIMITS__PONG_WAIT_S": "60",
}


@dataclass(frozen=True, slots=True)
class Tidemark:
    """A running Tidemark with channels that are empty at first; but for `across`, everything is about the first."""

    port: int
    engine_url: str
    token: str
    is_public: bool
    channels: tuple[str, ...]
    servers: tuple[int, ...]
    engines: tuple[int, ...]

    @property
    def target(self) -> Target:
        """Subscribe at the tip, publish one event a request."""
        return Target(self._readers(CHANNEL), self._publishing(publish_body(), CHANNEL), self.servers, self.engines)

    @property
    def across(self) -> Target:
        """The same for all channels: subscribers and publishes go round."""
        readers, requests = self._readers(*self.channels), self._publishing(publish_body(), *self.channels)
        return Target(readers, requests, self.servers, self.engines)

    def batches_of(self, events: int = BATCH_EVENTS) -> Target:
        """The same, with so many events a request."""
        return replace(self.target, requests=self._publishing(batch_body(events), CHANNEL))

    def reading(self, paths: tuple[str, ...]) -> Target:
        """Get these paths in turn."""
        requests = Requests(self.port, tuple(get(path) for path in paths))
        return Target(None, requests, self.servers, self.engines)

    def replaying(self, cursor: str) -> Target:
        """Subscribe from a cursor."""
        return replace(self.target, readers=self._readers(CHANNEL, query=f"?cursor={cursor}"))

    def engine_us(self) -> float:
        """The CPU time that the engine has used, as it says itself."""
        with Redis.from_url(self.engine_url) as client:
            used = client.info("cpu")
        return 1e6 * float(used["used_cpu_user"] + used["used_cpu_sys"])

    def page(self, cursor: str = "", limit: int = PAGE_EVENTS) -> Any:
        """A page of the channel."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        after = f"&cursor={cursor}" if cursor else ""
        connection.request("GET", f"{EVENTS}?limit={limit}{after}", headers=bearer(self.token))
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200:
            raise NotServing(f"the poll was answered {answer.status}: {body.decode(errors='replace')}")
        return orjson.loads(body)

    def cursor(self) -> str:
        """The place after the newest event."""
        found: str = self.page(limit=1)["cursor"]
        return found

    def _readers(self, *channels: str, query: str = "") -> Readers:
        headers = None if self.is_public else bearer(self.token)
        return Readers(self.port, tuple(upgrade(f"{API}/{each}/ws{query}", headers) for each in channels))

    def _publishing(self, body: bytes, *channels: str) -> Requests:
        headers = bearer(self.token)
        return Requests(self.port, tuple(post(f"{API}/{each}/events", body, headers) for each in channels))


@contextmanager
def tidemark(stage: Stage, *, is_public: bool = False, channels: int = 1) -> Iterator[Tidemark]:
    """Start it on a new data directory, create the channels, and move the engine to the client's core."""
    names = (CHANNEL, *(f"{CHANNEL}-{number:05d}" for number in range(1, channels)))
    port = free_port()
    with (
        tempfile.TemporaryDirectory(prefix="tidemark-", dir=stage.work) as data,
        running(_words(port, data), stage.cores.server, stage.work / "tidemark.log", _environ(stage)) as child,
    ):
        child.wait_for(lambda: answers(port, "/readyz"))
        engine_url = attach_url(data)
        asyncio.run(_create(engine_url, names, is_public))
        servers, engines = split_family(child.pid)
        pin(engines, stage.cores.client)
        yield Tidemark(port, engine_url, stage.token, is_public, names, servers, engines)


def _words(port: int, data: str) -> list[str]:
    return [sys.executable, "-P", "-m", "handlers", "serve", "--port", str(port), "--data", data]


def _environ(stage: Stage) -> Mapping[str, str]:
    """The environment without the caller's own settings of Tidemark."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
    return {**own, **ENVIRON, "TIDEMARK_AUTH__SIGNING_KEY_FILE": str(stage.key_file)}


async def _create(engine_url: str, names: tuple[str, ...], is_public: bool) -> None:
    engine = await open_engine(engine_url)
    channels = Channels(engine, most=MOST_CHANNELS)
    try:
        for name in names:
            await channels.create(NewChannel(name, name, is_public=is_public, config=CONFIG))
    finally:
        await engine.close()


def mint_token(key_file: Path) -> str:
    """A token of an admin by the name of the publisher, made as an operator would make one."""
    words = ["token", "--data", str(key_file.parent), "--scope", "admin", "--sub", "bench", "--expires", "1d"]
    environ = {"TIDEMARK_AUTH__SIGNING_KEY_FILE": str(key_file), "PATH": os.environ.get("PATH", os.defpath)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "handlers", *words], env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
