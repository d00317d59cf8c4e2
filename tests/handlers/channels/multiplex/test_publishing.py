"""Publishing on the socket: acknowledged in order, all or nothing, and idempotent together with `POST .../events`."""

import asyncio
import json
from typing import Any

import pytest

from tests.broker_server import API, BrokerServer
from tests.multiplex_client import Multiplexed, multiplexed

EVENTS = f"{API}/channels/news/events"


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    return broker_server


def publisher(server: BrokerServer, sub: str | None = "me") -> Any:
    return multiplexed(server, server.token("pub:*", "sub:*", sub=sub))


async def stored(server: BrokerServer) -> list[Any]:
    return [event["data"] for event in (await server.http.get(EVENTS, params={"limit": 100})).json()["events"]]


async def post(server: BrokerServer, body: Any, key: str, sub: str = "me") -> Any:
    headers = {**server.bearer("pub:*", "sub:*", sub=sub), "Idempotency-Key": key}
    return await server.http.post(EVENTS, json=body, headers=headers)


async def test_an_event_is_acknowledged_with_its_id_and_stored_as_by_post(server: BrokerServer) -> None:
    async with publisher(server) as many:
        said = await many.publish("news", type="price", data={"a": 1}, meta={"b": [2]})
        [event] = (await server.http.get(EVENTS)).json()["events"]
        assert said == {"channel": "news", "ids": [event["id"]]}
        assert (event["type"], event["data"], event["meta"], event["publisher_id"]) == (
            "price",
            {"a": 1},
            '{"b":[2]}',
            "me",
        )
        reply = await many.publish("news", data=2, reply_to=event["id"])
        replied = (await server.http.get(f"{EVENTS}/{reply['ids'][0]}")).json()
        assert replied["reply_to"] == event["id"]


async def test_a_batch_is_stored_whole_or_not_at_all(server: BrokerServer) -> None:
    async with publisher(server) as many:
        said = await many.publish("news", events=[{"data": 1}, {"data": 2}])
        assert len(said["ids"]) == 2 and said["ids"] == sorted(said["ids"])
        answer = await many.ask(publish={"channel": "news", "events": [{"data": 3}, {"data": 4, "reply_to": "x"}]})
        assert answer["error"]["status"] == 400
        assert (await many.publish("news", events=[]))["ids"] == []
        assert await stored(server) == [1, 2]


async def test_a_publisher_that_follows_gets_its_own_events_too(server: BrokerServer) -> None:
    async with publisher(server) as many:
        await many.subscribe("news")
        said = await many.publish("news", data="mine")
        assert [event["id"] for event in await many.take("news", 1)] == said["ids"]


async def test_publishes_are_stored_and_answered_in_the_order_in_which_they_came(server: BrokerServer) -> None:
    async with publisher(server) as many:
        for i in range(300):
            await many.say(ref=i, publish={"channel": "news", "data": i})
        answers = [await many.hear() for _ in range(300)]
        assert [answer["ref"] for answer in answers] == list(range(300))
        ids = [answer["published"]["ids"][0] for answer in answers]
        assert ids == sorted(ids)
    assert await stored(server) == list(range(200, 300))


async def test_order_is_kept_while_the_channel_is_changed(server: BrokerServer) -> None:
    """A publish that was decided on an old record is decided again, and none overtakes it meanwhile."""

    async def change() -> None:
        for i in range(30):
            await server.change("news", name=f"name {i}")

    async with publisher(server) as many:
        changing = asyncio.create_task(change())
        sent = 0
        while not changing.done() or len(many.told) < sent:
            if sent - len(many.told) < 20 and not changing.done():
                await many.say(ref=sent, publish={"channel": "news", "data": sent})
                sent += 1
            else:
                await many.hear()
        await changing
        ids = [answer["published"]["ids"][0] for answer in many.told]
        assert [answer["ref"] for answer in many.told] == list(range(sent)) and ids == sorted(ids)


async def test_commands_between_publishes_are_answered_in_their_place(server: BrokerServer) -> None:
    async with publisher(server) as many:
        commands: list[dict[str, Any]] = [
            {"publish": {"channel": "news", "data": 1}},
            {"publish": {"channel": "none", "data": 1}},
            {"subscribe": {"channel": "news"}},
            {"publish": {"channel": "news"}},
            {"publish": {"channel": "news", "data": 2}},
            {"nonsense": 1},
            {"unsubscribe": {"channel": "news"}},
            {"publish": {"channel": "news", "data": 3}},
        ]
        for ref, command in enumerate(commands):
            await many.socket.send(json.dumps({"ref": ref, **command}))
        while not any(told.get("ref") == 7 for told in many.told):
            await many.hear()
        assert [told["ref"] for told in many.told] == list(range(8))
        statuses = [told["error"]["status"] for told in many.told if "error" in told]
        assert statuses == [404, 400, 400]
        assert [event["data"] for event in many.events["news"]] in ([], [2])


async def test_the_same_key_answers_the_same_ids_again_and_stores_nothing(server: BrokerServer) -> None:
    async with publisher(server) as many:
        first = await many.publish("news", data={"a": 1, "b": 2}, key="k")
        again = await many.publish("news", data={"a": 1, "b": 2}, key="k")
        assert again == {**first, "replayed": True}
        other = await many.ask(publish={"channel": "news", "data": 2, "key": "k"})
        assert other["error"]["status"] == 422
    assert await stored(server) == [{"a": 1, "b": 2}]


async def test_a_key_is_one_and_the_same_on_the_socket_and_over_http(server: BrokerServer) -> None:
    body: dict[str, Any] = {"type": "t", "data": {"a": [1, 2]}, "meta": "m"}
    async with publisher(server) as many:
        said = await many.publish("news", **body, key="one")
        answer = await post(server, body, "one")
        assert (answer.status_code, answer.headers["Idempotency-Replayed"]) == (201, "true")
        assert [answer.json()["id"]] == said["ids"]
        batch: dict[str, Any] = {"events": [{"data": 1}, {"data": 2}]}
        ids = [event["id"] for event in (await post(server, batch, "two")).json()["events"]]
        assert await many.publish("news", **batch, key="two") == {"channel": "news", "ids": ids, "replayed": True}
        assert (await many.ask(publish={"channel": "news", "data": 1, "key": "two"}))["error"]["status"] == 422
        assert (await post(server, {"data": 2}, "one")).status_code == 422


async def test_a_key_is_another_one_for_another_principal_or_channel(server: BrokerServer) -> None:
    await server.create("other")
    async with publisher(server) as mine, publisher(server, "you") as yours:
        answers = [
            await mine.publish("news", data=1, key="k"),
            await yours.publish("news", data=1, key="k"),
            await mine.publish("other", data=1, key="k"),
        ]
        assert len({answer["ids"][0] for answer in answers}) == 3
        assert not any("replayed" in answer for answer in answers)


async def test_pipelined_publishes_with_one_key_store_one_event(server: BrokerServer) -> None:
    async with publisher(server) as many:
        for ref in range(5):
            await many.say(ref=ref, publish={"channel": "news", "data": 1, "key": "k"})
        answers = [(await many.hear())["published"] for _ in range(5)]
        assert len({answer["ids"][0] for answer in answers}) == 1
        assert ["replayed" in answer for answer in answers] == [False, True, True, True, True]
    assert await stored(server) == [1]


STRICT = {"strict_types": True, "types": {"n": {"schema": {"type": "number"}}}}


async def test_events_are_judged_by_the_types_of_now_and_keep_their_order(server: BrokerServer) -> None:
    """Another process has changed the types, and this one has not heard of it."""
    old = await server.create("strict", config=STRICT)
    types = {"n": {"schema": {"type": "number"}}, "m": {"schema": {"type": "string"}}}
    await server.change("strict", config={**STRICT, "types": types})
    server.broker.channels._remember(old)
    async with publisher(server) as many:
        await many.say(ref=1, publish={"channel": "strict", "type": "m", "data": "a"})
        await many.say(ref=2, publish={"channel": "strict", "type": "n", "data": 1})
        await many.say(ref=3, publish={"channel": "strict", "type": "x", "data": 1})
        answers = [await many.hear() for _ in range(3)]
        ids = [answer["published"]["ids"][0] for answer in answers[:2]]
        assert ids == sorted(ids)
        assert answers[2]["error"]["error"] == 'Unknown event type "x". Allowed types: n, m'


@pytest.mark.parametrize(
    ("publish", "status", "error"),
    [
        ({"channel": "news"}, 400, "Event must include a data field"),
        ({"channel": "news", "events": [{"data": 1}, {}]}, 400, "Event must include a data field"),
        ({"channel": "news", "events": [{"data": 1}] * 101}, 400, "A batch holds at most 100 events"),
        ({"channel": "news", "data": 1, "type": 7}, 400, "type must be a string"),
        ({"channel": "news", "data": "x" * 65_535}, 413, "Event data is over 65536 bytes"),
        ({"channel": "news", "data": 1, "meta": "x" * 16_385}, 413, "meta is over 16384 bytes"),
        ({"channel": "news", "data": 1, "key": ""}, 400, "Idempotency-Key must be 1 to 128 printable characters"),
        (
            {"channel": "news", "data": 1, "key": "x" * 129},
            400,
            "Idempotency-Key must be 1 to 128 printable characters",
        ),
        ({"channel": "none", "data": 1}, 404, "Channel not found"),
        ({"channel": "live-x", "data": 1}, 403, "Insufficient permissions"),
        ({"channel": "strict", "data": 1}, 400, "Event must have a type when publishing to a strict channel"),
        ({"channel": "strict", "data": "1", "type": "n"}, 400, None),
    ],
)
async def test_bad_publishes_are_refused_as_over_http_and_nothing_is_stored(
    server: BrokerServer, publish: dict[str, Any], status: int, error: str | None
) -> None:
    await server.create("strict", config=STRICT)
    async with publisher(server) as many:
        refused = await many.refused(publish=publish)
        assert refused[0] == status and error in (None, refused[1])
        body = {name: value for name, value in publish.items() if name not in ("channel", "key")}
        over_http = await server.http.post(
            f"{API}/channels/{publish['channel']}/events",
            json=body,
            headers={**server.bearer("pub:*", sub="me"), "Idempotency-Key": publish.get("key", "k")},
        )
        assert (over_http.status_code, over_http.json()["error"]) == refused
        assert await stored(server) == []


async def test_without_the_right_nothing_is_looked_at(server: BrokerServer) -> None:
    async def refused(many: Multiplexed) -> int:
        return (await many.refused(publish={"channel": "news"}))[0]

    async with multiplexed(server) as nobody, multiplexed(server, server.token("sub:*")) as reader:
        assert await refused(nobody) == 401
        assert await refused(reader) == 403
    assert await stored(server) == []


async def test_a_publish_whose_socket_is_gone_is_stored_all_the_same(server: BrokerServer) -> None:
    async with publisher(server) as many:
        await many.say(publish={"channel": "news", "data": "last words", "key": "k"})
    async with asyncio.timeout(5):
        while await stored(server) != ["last words"]:
            await asyncio.sleep(0.01)


async def test_the_largest_data_fits_in_a_command(server: BrokerServer) -> None:
    async with publisher(server) as many:
        await many.subscribe("news")
        await many.publish("news", data="x" * 65_534, key="k" * 128)
        assert len((await many.take("news", 1))[0]["data"]) == 65_534
