"""docs/multiplex.md tells the truth: its conversations are held with a server, its limits are the settings'."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from broker.config import LimitSettings
from handlers.channels.multiplex.schemas import COMMANDS, MESSAGES
from tests.broker_server import API, BrokerServer, running_broker
from tests.docs.blocks import ROOT, Blocks, holds, runs
from tests.engines import running_engine
from tests.multiplex_client import PAYLOADS, name_of

PAGE = (ROOT / "docs/multiplex.md").read_text()
ULID = re.compile(r"\b01[0-9A-HJKMNP-TV-Z]{24}\b")
TOKEN = re.compile(r"<token ([^>]*)>")
OVERRIDES = {"limits": {"multiplex_position_s": 0.05}, "channels": {"trim_interval_s": 0.02}}


class Conversation:
    """Says and hears the lines of the page; an id on the page stands for one real id, the first that came for it."""

    def __init__(self, server: BrokerServer, real: dict[str, str]) -> None:
        self.server = server
        self.real = real

    async def hold(self, lines: list[str]) -> None:
        async with self.server.socket("/ws") as socket:
            for line in lines:
                kind, text = line[0], line[2:]
                if kind == "→":
                    await socket.send(self._really(text))
                elif kind == "·":
                    await self._happens(*text.split(" ", 1))
                elif text.startswith("close "):
                    assert f"close {await self._closed(socket)}" == text
                else:
                    self._check(text, json.loads(await asyncio.wait_for(socket.recv(), 10)))

    def _really(self, text: str) -> str:
        text = TOKEN.sub(lambda match: self.server.token(*match[1].split(), sub="me", expires_in_s=3600), text)
        return ULID.sub(lambda match: self.real[match[0]], text)

    def _check(self, text: str, heard: dict[str, Any]) -> None:
        PAYLOADS[name_of(heard)].validate(heard)
        expected = json.loads(text)
        for shown, came in zip(ULID.findall(_timeless(expected)), ULID.findall(_timeless(heard)), strict=True):
            assert self.real.setdefault(shown, came) == came
        assert self._really(_timeless(expected)) == _timeless(heard)

    async def _happens(self, what: str, rest: str = "") -> None:
        broker = self.server.broker
        match what:
            case "channel":
                name, fields = rest.split(" ", 1)
                await self.server.create(name, **json.loads(fields))
            case "publish":
                name, event = rest.split(" ", 1)
                headers = self.server.bearer("pub:*", sub="somebody")
                path = f"{API}/channels/{name}/events"
                assert (await self.server.http.post(path, content=event, headers=headers)).status_code == 201
            case "keep":
                count, _, name = rest.split(" ")
                await self.server.change(name, config={"storage": {"retention_events": int(count)}})
                channel = await broker.channels.find(name)
                while len((await broker.log.newest(channel, limit=100)).frames) > int(count):
                    await asyncio.sleep(0.01)
            case "delete":
                await broker.channels.delete(rest)
            case "restart":
                self.server.drain.begin()
            case _:
                raise AssertionError(f"the test does not know how to {what}")

    async def _closed(self, socket: ClientConnection) -> str:
        with pytest.raises(ConnectionClosed) as caught:
            await asyncio.wait_for(socket.recv(), 10)
        frame = caught.value.rcvd
        assert frame is not None
        return f"{frame.code} {frame.reason}"


def _timeless(message: dict[str, Any]) -> str:
    text = json.dumps(message, sort_keys=True)
    return re.sub(r'"(created_at|expires_at)": "[^"]*"', "", text)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[BrokerServer]:
    with running_engine(tmp_path / "engine") as engine:
        async with running_broker(engine.url, tmp_path / "key.json", OVERRIDES) as server:
            yield server


@runs("docs/multiplex.md", "text")
async def test_its_conversations_can_be_held(server: BrokerServer, blocks: Blocks) -> None:
    real: dict[str, str] = {}
    for conversation in blocks:
        await Conversation(server, real).hold(conversation.text.splitlines())
    assert len(set(real.values())) == len(real) > 5


@holds("docs/multiplex.md", "text")
def test_its_conversations_show_every_command_and_every_message(blocks: Blocks) -> None:
    lines = "".join(block.text for block in blocks).splitlines()
    said = [json.loads(line[2:]) for line in lines if line[2:].startswith("{")]
    shown = {name for message in said for name in message}
    assert {*COMMANDS, *MESSAGES} <= shown


def test_its_limits_are_the_settings() -> None:
    defaults = {name: field.default for name, field in LimitSettings.model_fields.items() if "multiplex" in name}
    rows = [row.split("|")[1:3] for row in PAGE.split("## Limits")[1].splitlines() if row.startswith("| `")]
    told: dict[str, str] = {}
    for names, values in rows:
        told |= dict(zip(re.findall(r"`(\w+)`", names), re.findall(r"[\d.]+", values), strict=True))
    assert {name: told.get(name) for name in defaults} == {name: f"{value:g}" for name, value in defaults.items()}
