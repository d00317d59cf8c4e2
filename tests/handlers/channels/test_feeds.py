"""Feeds over HTTP: access, order, parameters, caching (contract sections 6, 8 and 12)."""

import asyncio
import html
import time
from pathlib import Path
from typing import Any

import feedparser  # type: ignore[import-untyped]
import pytest

from broker.readable import render_readable
from tests.broker_server import API, BrokerServer, running_broker
from tests.json_values import TRAPS, same

NEWS = f"{API}/channels/news"
RSS = f"{NEWS}/rss"
JSON_FEED = f"{NEWS}/feed.json"


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    return broker_server


async def get_json(server: BrokerServer, query: str = "") -> dict[str, Any]:
    answer = await server.http.get(JSON_FEED + query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/feed+json"
    result: dict[str, Any] = answer.json()
    return result


async def get_rss(server: BrokerServer, query: str = "") -> Any:
    answer = await server.http.get(RSS + query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/rss+xml"
    parsed = feedparser.parse(answer.content)
    assert not parsed.bozo
    return parsed


async def test_both_feeds_have_the_last_50_events_newest_first(server: BrokerServer) -> None:
    events = await server.publish("news", *range(60))
    newest = [event["id"] for event in reversed(events)][:50]
    assert [item["id"] for item in (await get_json(server))["items"]] == newest
    assert [entry.id for entry in (await get_rss(server)).entries] == newest


async def test_whatever_was_published_comes_out_as_data_and_as_text(server: BrokerServer) -> None:
    events = []
    for at in range(0, len(TRAPS), 40):
        events += await server.publish("news", *[{"say": trap} for trap in TRAPS[at : at + 40]], 10**30, 1e300)
    items, entries = (await get_json(server, "?limit=100"))["items"], (await get_rss(server, "?limit=100")).entries
    assert len(items) == len(entries) == len(events)
    for event, item, entry in zip(reversed(events), items, entries, strict=True):
        assert item["id"] == entry.id == event["id"]
        assert same(item["_zooid"]["data"], event["data"])
        assert html.unescape(entry.summary) == item["content_text"]


async def test_a_feed_reader_goes_on_with_the_cursor_of_the_feed(server: BrokerServer) -> None:
    first = await server.publish("news", *range(3))
    feed = await get_json(server, "?limit=2")
    assert feed["_zooid"] == {"cursor": first[2]["id"], "has_more": False, "complete": True}
    await server.publish("news", 3, 4)
    later = await get_json(server, f"?cursor={feed['_zooid']['cursor']}&limit=1")
    assert [item["_zooid"]["data"] for item in later["items"]] == [3]
    assert later["_zooid"]["has_more"]


async def test_since_and_type_filter_as_in_a_poll(server: BrokerServer) -> None:
    first = (await server.publish("news", 1, type="a"))[0]
    await asyncio.sleep(0.002)
    await server.publish("news", 2, type="a")
    await server.publish("news", 3, type="b")
    feed = await get_json(server, f"?since={first['created_at']}&type=a")
    assert [item["_zooid"]["data"] for item in feed["items"]] == [2]
    assert [entry.title for entry in (await get_rss(server, "?types=b,%20c")).entries] == ["b"]


async def test_a_gap_is_said(server: BrokerServer) -> None:
    start = (await get_json(server))["_zooid"]["cursor"]
    events = await server.publish("news", *range(5))
    await server.change("news", config={"storage": {"retention_events": 2}})
    while len((await get_json(server))["items"]) > 2:
        await asyncio.sleep(0.02)
    lost = await get_json(server, f"?cursor={start}")
    assert (lost["_zooid"]["complete"], lost["_zooid"]["oldest"]) == (False, events[3]["id"])
    for path in (RSS, JSON_FEED):
        answer = await server.http.get(f"{path}?cursor={start}&on_gap=error")
        assert (answer.status_code, answer.json()["error"]) == (410, "cursor_expired")


@pytest.mark.parametrize("path", [RSS, JSON_FEED])
@pytest.mark.parametrize(
    "query",
    ["format=xml", "format=", "format=yaml&format=json", "cursor=!!", "since=yesterday", "limit=0", "on_gap=x"],
)
async def test_a_malformed_query_is_400(server: BrokerServer, path: str, query: str) -> None:
    answer = await server.http.get(f"{path}?{query}")
    assert (answer.status_code, "error" in answer.json()) == (400, True)


@pytest.mark.parametrize("name", ["rss", "feed.json"])
async def test_a_private_feed_is_for_those_who_may_read_and_for_no_cache(server: BrokerServer, name: str) -> None:
    await server.create("secret", is_public=False)
    await server.publish("secret", "only for you")
    path = f"{API}/channels/secret/{name}"
    for headers, status in ((None, 401), (server.bearer("pub:secret"), 403), (server.bearer("sub:secret"), 200)):
        answer = await server.http.get(path, headers=headers)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (status, "private, no-store")
        assert ("only for you" in answer.text) == (status == 200)
    answer = await server.http.get(f"{path}?token={server.token('sub:secret')}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, no-store")
    assert "token" not in answer.text
    assert (await server.http.get(f"{path}?format=x")).status_code == 401


@pytest.mark.parametrize("name", ["rss", "feed.json"])
async def test_a_feed_of_no_channel_is_404(server: BrokerServer, name: str) -> None:
    answer = await server.http.get(f"{API}/channels/none/{name}?format=x")
    assert (answer.status_code, answer.json()) == (404, {"error": "Channel not found"})
    assert (await server.http.post(f"{NEWS}/{name}")).status_code == 405


@pytest.mark.parametrize("path", [RSS, JSON_FEED, f"{JSON_FEED}?format=json&type=a"])
async def test_a_public_feed_is_cacheable_like_a_poll(server: BrokerServer, path: str) -> None:
    await server.publish("news", 1, type="a")
    answer = await server.http.get(path)
    assert answer.headers["Cache-Control"] == "public, s-maxage=2"
    assert (answer.headers["Surrogate-Key"], answer.headers["Cache-Tag"]) == ("news", "news")
    assert "Vary" not in answer.headers
    again = await server.http.get(path, headers={"If-None-Match": f"W/{answer.headers['ETag']}, x"})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    await server.publish("news", 2, type="a")
    assert (await server.http.get(path, headers={"If-None-Match": answer.headers["ETag"]})).status_code == 200


@pytest.mark.parametrize("query", ["?token=x", "?type=b,a", "?format=yaml", "?x=1", "?type=a&format=json"])
async def test_what_came_with_a_token_or_is_spelled_otherwise_is_not_kept(server: BrokerServer, query: str) -> None:
    answer = await server.http.get(RSS + query)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    credential = await server.http.get(RSS, headers=server.bearer("sub:*"))
    assert credential.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", [RSS, JSON_FEED, f"{API}/opml"])
async def test_links_are_never_those_of_the_host_header(server: BrokerServer, path: str) -> None:
    answer = await server.http.get(path, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert answer.status_code == 200
    assert "evil.example" not in answer.text
    assert server.url in answer.text


async def test_links_come_from_the_public_url(engine_url: str, tmp_path: Path) -> None:
    public = {"server": {"public_url": "https://events.example.com/base"}}
    async with running_broker(engine_url, tmp_path / "key.json", public) as server:
        await server.create("news")
        home = f"https://events.example.com/base{NEWS}"
        feed = await get_json(server, "?type=b,a&format=json&limit=1")
        assert (feed["home_page_url"], feed["feed_url"]) == (home, f"{home}/feed.json?format=json&type=a%2Cb")
        assert (await get_rss(server)).feed.link == home
        opml = await server.http.get(f"{API}/opml")
        assert f'xmlUrl="{home}/rss"' in opml.text


async def test_a_public_feed_turned_private_needs_a_token_at_once(server: BrokerServer) -> None:
    await server.change("news", is_public=False)
    assert (await server.http.get(RSS)).status_code == 401


async def longest_turn_s(server: BrokerServer, path: str) -> float:
    """How long the loop was held at most while this was served."""
    turns, reading = [], True

    async def watch() -> None:
        while reading:
            began = time.perf_counter()
            await asyncio.sleep(0)
            turns.append(time.perf_counter() - began)

    watching = asyncio.create_task(watch())
    answer = await server.http.get(path)
    reading = False
    await watching
    assert answer.text.count("<item>") == 50
    return max(turns)


async def test_a_feed_that_takes_long_to_write_lets_others_in_between(server: BrokerServer) -> None:
    slow = [1] * 4_000
    for _ in range(5):
        await server.publish("news", *[slow] * 10)
    began = time.perf_counter()
    for _ in range(50):
        render_readable(slow, "yaml")
    in_one_go_s = time.perf_counter() - began
    # The best of some, as the machine has other things to do as well.
    assert min([await longest_turn_s(server, RSS) for _ in range(4)]) < in_one_go_s / 3
