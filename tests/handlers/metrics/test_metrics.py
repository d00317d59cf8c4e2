"""`/metrics` of a real broker: what happens at its doors is what is counted."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from prometheus_client import Metric as Family

from broker.storage.channels import keys_of
from handlers.metrics.catalogue import Metric, all_metrics
from tests.broker_server import API, BrokerServer, running_broker
from tests.engines import tell
from tests.exposition import exposition_of, until

EVENTS = f"{API}/channels/news/events"
EVENTS_ROUTE = f"{API}/channels/{{channel_id}}/events"
PATIENCE_S = 8

Change = Callable[..., Awaitable[float]]


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    """A broker with the public channel `news`."""
    await broker_server.create("news")
    return broker_server


@pytest.fixture
async def change(server: BrokerServer) -> AsyncIterator[Change]:
    """By how much a sample has grown since the test began."""
    await exposition_of(server)  # the first request is counted in the second answer
    before = await exposition_of(server)

    async def grown(name: str, **labels: str) -> float:
        now = await exposition_of(server)
        return now.value(name, **labels) - before.value(name, **labels)

    yield grown


def labels_of(metric: Metric, family: Family) -> set[str]:
    """The labels of a family's samples, without the one that makes a histogram's buckets."""
    return {label for sample in family.samples for label in sample.labels} - (
        {"le"} if metric.kind == "histogram" else set()
    )


async def test_the_catalogue_is_all_there_is_and_all_of_it_is_there(server: BrokerServer) -> None:
    await exposition_of(server)  # the first request is counted in the second answer
    found = await until(lambda now: "tidemark_engine_memory_bytes" in now.families, server)
    by_name = {metric.name.removesuffix("_total"): metric for metric in all_metrics()}
    assert found.families.keys() == by_name.keys()
    for name, family in found.families.items():
        assert (family.type, family.documentation) == (by_name[name].kind, by_name[name].help)
        assert labels_of(by_name[name], family) == set(by_name[name].labels)


def test_names_follow_the_conventions() -> None:
    for metric in all_metrics():
        assert metric.name.startswith("tidemark_")
        assert metric.name.endswith("_total") is (metric.kind == "counter")
        assert not {"channel", "channel_id", "token", "address", "path", "pid"} & set(metric.labels)


async def test_no_channel_token_or_address_is_in_it(server: BrokerServer) -> None:
    secret = "private-canary-0123"
    await server.create(secret, is_public=False)
    token = server.token(f"sub:{secret}", sub="canary-subject")
    await server.http.get(f"{API}/channels/{secret}/events", headers={"Authorization": f"Bearer {token}"})
    await server.http.get(f"{API}/channels/{secret}/made-up?token={token}")
    text = (await server.http.get("/metrics", headers=server.bearer("admin"))).text
    assert "canary" not in text
    assert token.split(".")[2] not in text
    assert "127.0.0.1" not in text


async def test_it_is_not_to_be_kept_by_caches(server: BrokerServer) -> None:
    answer = await server.http.get("/metrics", headers=server.bearer("admin"))
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_publishes_their_events_and_replays(server: BrokerServer, change: Change) -> None:
    headers = {**server.bearer("admin"), "Idempotency-Key": "k"}
    body = {"events": [{"data": 1}, {"data": 2}]}
    for _ in range(3):
        assert (await server.http.post(EVENTS, json=body, headers=headers)).status_code == 201
    await server.publish("news", 3)
    await server.http.post(EVENTS, json={}, headers=server.bearer("admin"))
    assert await change("tidemark_publishes_total") == 2
    assert await change("tidemark_published_events_total") == 3
    assert await change("tidemark_publish_replays_total") == 2
    assert await change("tidemark_append_call_publishes_sum") == 4
    assert await change("tidemark_script_seconds_count", script="append") == 4


async def test_deliveries_and_reads_of_the_log_for_those_who_come_late(server: BrokerServer, change: Change) -> None:
    cursor = (await server.publish("news", 1))[0]["id"]
    await server.publish("news", 2, 3)
    async with server.socket(f"/channels/news/ws?cursor={cursor}") as late, server.socket("/channels/news/ws") as live:
        assert [json.loads(await late.recv())["data"] for _ in range(2)] == [2, 3]
        await server.publish("news", 4)
        assert [json.loads(await socket.recv())["data"] for socket in (late, live)] == [4, 4]
        assert await change("tidemark_deliveries_total") == 4
        assert await change("tidemark_catch_up_reads_total") >= 1
        assert await change("tidemark_feed_messages_total") == 1
        assert await change("tidemark_feed_lag_seconds_count") == 1


async def test_open_readers_by_kind(server: BrokerServer) -> None:
    await server.publish("news", 1)
    cursor = (await server.http.get(EVENTS)).json()["cursor"]
    async with server.socket("/channels/news/ws"), server.http.stream("GET", f"{API}/channels/news/sse"):
        poll = asyncio.create_task(server.http.get(f"{EVENTS}?cursor={cursor}&wait=20"))
        found = await until(lambda now: now.value("tidemark_subscriptions_open") == 3, server)
        for kind in ("socket", "stream", "long_poll"):
            assert found.value("tidemark_readers_open", kind=kind) == 1
        assert found.value("tidemark_channels_watched") == 1
        assert found.value("tidemark_connections_open") >= 4
        await server.publish("news", 2)
        assert (await poll).json()["events"][0]["data"] == 2
    await until(lambda now: now.value("tidemark_subscriptions_open") == 0, server)


async def test_polls_by_outcome(server: BrokerServer, change: Change) -> None:
    etag = (await server.http.get(EVENTS)).headers["ETag"]
    await server.http.get(EVENTS, headers={"If-None-Match": etag})
    await server.http.get(f"{EVENTS}?limit=0")
    await server.http.get(f"{API}/channels/none/events")
    for status in ("200", "304", "400", "404"):
        assert await change("tidemark_http_requests_total", method="GET", route=EVENTS_ROUTE, status=status) == 1


async def test_subscriptions_that_the_server_ends_by_code(server: BrokerServer, change: Change) -> None:
    async with server.socket("/channels/news/ws") as socket:
        await server.broker.channels.delete("news")
        await socket.wait_closed()
    assert await change("tidemark_subscription_ends_total", code="1000") == 1
    assert await change("tidemark_subscription_ends_total", code="4408") == 0


async def test_what_the_edge_refuses_by_kind(server: BrokerServer, change: Change) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"nonsense\r\n\r\n")
    await reader.read()
    writer.close()
    assert await change("tidemark_edge_refusals_total", kind="head_malformed") == 1


async def test_events_that_retention_removes(server: BrokerServer) -> None:
    await server.create("brief", config={"storage": {"retention_events": 2}})
    for number in range(4):
        await server.publish("brief", number)
    await until(lambda now: now.value("tidemark_trimmed_events_total") > 0, server)


async def test_a_feed_that_is_cut_is_connected_again_and_counted(server: BrokerServer, engine_url: str) -> None:
    async with server.socket("/channels/news/ws"):
        tell(engine_url, "CLIENT KILL TYPE pubsub")
        await until(lambda now: now.value("tidemark_feed_connects_total") == 2, server)
        found = await until(lambda now: now.value("tidemark_feed_up") == 1, server)
        assert found.value("tidemark_engine_up") == 1


async def test_a_message_that_was_lost_is_counted_by_the_check_that_finds_it(engine_url: str, tmp_path: Path) -> None:
    slow_checks = {"engine": {"position_check_s": 1.2}}
    async with running_broker(engine_url, tmp_path / "key.json", slow_checks) as server:
        channel = await server.create("news")
        async with server.socket("/channels/news/ws") as socket:
            await server.broker.hub._feed.unwatch(keys_of(channel).topic)
            await server.publish("news", 1)
            assert json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))["data"] == 1
            found = await exposition_of(server)
    assert found.value("tidemark_position_check_losses_total") == 1
    assert found.value("tidemark_feed_mends_total") == 1


async def test_a_loop_that_stood_still_is_seen(server: BrokerServer, change: Change) -> None:
    time.sleep(0.6)  # noqa: ASYNC251 - this is the fault
    await until(lambda now: now.value("tidemark_loop_lag_seconds_count") > 0, server)
    async with asyncio.timeout(PATIENCE_S):
        while await change("tidemark_loop_lag_seconds_sum") < 0.4:
            await asyncio.sleep(0.05)


async def test_brokers_that_share_a_directory_answer_for_each_other(engine_url: str, tmp_path: Path) -> None:
    shared, key = tmp_path / "metrics", tmp_path / "key.json"
    shared.mkdir()
    async with running_broker(engine_url, key, metrics=shared) as one:
        await one.create("news")
        async with running_broker(engine_url, key, metrics=shared) as other, one.socket("/channels/news/ws"):
            await one.publish("news", 1)
            await other.publish("news", 2)
            other.broker.meter.flush()
            found = await exposition_of(one)
            assert found.value("tidemark_processes") == 2
            assert found.value("tidemark_publishes_total") == 2
            one.broker.meter.flush()
            assert (await exposition_of(other)).value("tidemark_publishes_total") == 2
        assert (await exposition_of(one)).value("tidemark_processes") == 1
        assert (await exposition_of(one)).value("tidemark_publishes_total") == 2


async def test_askers_at_a_time_share_an_answer(server: BrokerServer) -> None:
    texts = await asyncio.gather(*(server.broker.meter.exposition() for _ in range(20)))
    assert len({id(text) for text in texts}) == 1
