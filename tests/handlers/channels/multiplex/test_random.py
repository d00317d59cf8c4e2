"""Random commands on several sockets while channels are published to, trimmed, deleted and changed.

Each subscription must see exactly its log after its cursor, in order, up to where it is or to an explicit end.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from broker.ids import render_ulid
from broker.storage.embedded import EmbeddedEngine
from tests.broker_server import API, BrokerServer, running_broker
from tests.engines import empty
from tests.handlers.channels.multiplex.spans import Span, Truth, read_spans
from tests.multiplex_client import PATIENCE_S, PAYLOADS, Multiplexed, multiplexed, name_of

OVERRIDES: dict[str, dict[str, Any]] = {
    "channels": {"trim_interval_s": 0.01, "window_events": 4},
    "limits": {"multiplex_step_events": 3, "multiplex_position_s": 0.01},
}
CHANNELS = ("one", "two", "three")
MARK = "a"

channels = st.sampled_from(CHANNELS)
kinds = st.sampled_from([None, "a", "b"])
counts = st.integers(1, 12)
publish = st.tuples(st.just("publish"), channels, counts, kinds)
subscribe = st.tuples(
    st.just("subscribe"),
    channels,
    st.sampled_from(["tip", "start", "seen", "seen", "old"]),
    st.sampled_from([None, None, [MARK], [MARK, "b"]]),
)
socket_steps = st.lists(subscribe | publish | st.tuples(st.just("unsubscribe"), channels), min_size=3, max_size=14)
change = (
    st.tuples(st.just("trim"), channels, st.integers(1, 8))
    | st.tuples(st.just("recreate"), channels)
    | st.tuples(st.just("visibility"), channels, st.booleans())
    | st.tuples(st.just("delete event"), channels)
)
publisher_steps = st.lists(publish, min_size=3, max_size=12)
changer_steps = st.lists(change, max_size=6)


class Run:
    """One random run: the server, the truth of its logs, and what each socket asked and heard."""

    def __init__(self, server: BrokerServer) -> None:
        self.server = server
        self.truth = Truth()
        self.headers = server.bearer("admin", sub="tests")
        self.starts: dict[str, str] = {}

    async def create(self, channel_id: str) -> None:
        record = await self.server.create(channel_id)
        self.starts[channel_id] = render_ulid(record.tag_letters, record.start)

    def learn(self, ids: Sequence[str], kind: str | None) -> None:
        """These were acknowledged."""
        self.truth.types.update(dict.fromkeys(ids, kind))

    async def publish(self, channel: str, count: int, kind: str | None) -> None:
        """Publish over HTTP; a channel that is being created again has 404 for a moment."""
        body = {"events": [{"data": i, "type": kind} for i in range(count)]}
        answer = await self.server.http.post(f"{API}/channels/{channel}/events", json=body, headers=self.headers)
        assert answer.status_code in (201, 404), answer.text
        if answer.status_code == 201:
            self.learn([event["id"] for event in answer.json()["events"]], kind)

    async def publish_all(self, steps: Sequence[Any]) -> None:
        for _, channel, count, kind in steps:
            await self.publish(channel, count, kind)

    async def change_all(self, steps: Sequence[Any]) -> None:
        for name, channel, *rest in steps:
            match name, rest:
                case "trim", [keep]:
                    await self.server.change(channel, config={"storage": {"retention_events": keep}})
                case "recreate", []:
                    await self.server.broker.channels.delete(channel)
                    await self.create(channel)
                case "visibility", [is_public]:
                    await self.server.change(channel, is_public=is_public)
                case "delete event", []:
                    await self.delete_newest(channel)

    async def delete_newest(self, channel_id: str) -> None:
        path = f"{API}/channels/{channel_id}/events"
        page = (await self.server.http.get(path, params={"limit": 2}, headers=self.headers)).json()
        for event in page["events"][:1]:
            self.truth.deleted.add(event["id"])
            answer = await self.server.http.delete(f"{path}/{event['id']}", headers=self.headers)
            assert answer.status_code in (204, 404), answer.text


class Client:
    """One socket that is read all the time, and told to do one thing after the other without waiting for answers."""

    def __init__(self, run: Run, many: Multiplexed) -> None:
        self.run = run
        self.many = many
        self.heard: list[Any] = []
        self.asked: dict[int, Any] = {}
        self.kinds: dict[int, str | None] = {}
        self.answered = 0
        self.reading = asyncio.create_task(self._read())

    async def do_all(self, steps: Sequence[Any]) -> None:
        for ref, (name, channel, *rest) in enumerate(steps):
            command: dict[str, Any] = {"channel": channel}
            if name == "publish":
                command["events"] = [{"data": i, "type": rest[1]} for i in range(rest[0])]
                self.kinds[ref] = rest[1]
            elif name == "subscribe":
                command |= self._place(channel, *rest)
                self.asked[ref] = command
            await self.many.say(ref=ref, **{name: command})
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_S):
            while self.answered < len(steps):
                await asyncio.sleep(0.005)

    async def level(self, marks: dict[str, str]) -> list[Span]:
        """The spans, once each open one has had the last event of its channel."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                spans = read_spans(self.heard, self.asked)
                if all(span.ids[-1:] == [marks[span.channel]] for span in spans if span.is_open):
                    return spans
                await asyncio.sleep(0.005)

    def _place(self, channel: str, where: str, types: list[str] | None) -> dict[str, Any]:
        seen = [message["id"] for message in self.heard if message.get("channel_id") == channel]
        cursors = {
            "start": self.run.starts[channel],
            "seen": seen[-1] if seen else None,
            "old": seen[len(seen) // 2] if seen else None,
        }
        placed = {"cursor": cursors.get(where), "types": types}
        return {name: value for name, value in placed.items() if value is not None}

    async def _read(self) -> None:
        try:
            while True:
                message = json.loads(await self.many.socket.recv())
                PAYLOADS[name_of(message)].validate(message)
                self.heard.append(message)
                if "ref" in message:
                    self.answered += 1
                if "published" in message:
                    self.run.learn(message["published"]["ids"], self.kinds[message["ref"]])
        except ConnectionClosed:
            return


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.reuse, Phase.generate))
@given(st.lists(socket_steps, min_size=2, max_size=3), publisher_steps, publisher_steps, changer_steps)
async def test_every_subscription_sees_exactly_its_log_or_an_explicit_end(
    shared_engine: EmbeddedEngine,
    tmp_path_factory: pytest.TempPathFactory,
    sockets: list[list[Any]],
    publishes: list[Any],
    more_publishes: list[Any],
    changes: list[Any],
) -> None:
    empty(shared_engine.url)
    key_file = tmp_path_factory.mktemp("random") / "key.json"
    async with running_broker(shared_engine.url, key_file, OVERRIDES) as server:
        run = Run(server)
        for channel in CHANNELS:
            await run.create(channel)
            await run.publish(channel, 6, "b")
        tokens = [None, server.token("sub:*", "pub:*", sub="me"), server.token("sub:one", sub="you")]
        async with (
            multiplexed(server, tokens[0]) as first,
            multiplexed(server, tokens[1]) as second,
            multiplexed(server, tokens[2]) as third,
        ):
            clients = [Client(run, many) for many in (first, second, third)[: len(sockets)]]
            await asyncio.gather(
                *(client.do_all(steps) for client, steps in zip(clients, sockets, strict=True)),
                run.publish_all(publishes),
                run.publish_all(more_publishes),
                run.change_all(changes),
            )
            marks = {}
            for channel in CHANNELS:
                await run.publish(channel, 1, MARK)
                [last] = (await server.broker.log.newest(await server.broker.channels.find(channel), limit=1)).frames
                marks[channel] = last.id
            for client in clients:
                for span in await client.level(marks):
                    span.check(run.truth)
            server.drain.begin()
            for client in clients:
                await asyncio.wait_for(client.reading, PATIENCE_S)
                for span in read_spans(client.heard, client.asked):
                    span.check(run.truth)
                    assert not span.is_open
