"""JSON Feed 1.1 read back: one event in, one item out, data as it was published."""

import json
from typing import Any

import yaml  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.channels.feed import entry_of
from handlers.channels.json_feed import render_json_head, render_json_item, render_json_tail
from tests.feed_samples import BASE, FEED, drafts, frame_of
from tests.json_values import same


def rendered(*events: dict[str, Any]) -> dict[str, Any]:
    items = [render_json_item(entry_of(frame_of(event, seq), "json")) for seq, event in enumerate(events, 1)]
    feed: dict[str, Any] = json.loads(render_json_head(FEED) + b",".join(items) + render_json_tail())
    return feed


@given(st.lists(drafts, max_size=4))
@settings(max_examples=60, deadline=None)
def test_one_event_in_is_one_item_out(events: list[dict[str, Any]]) -> None:
    items = rendered(*events)["items"]
    assert [item["id"] for item in items] == [frame_of({"data": 1}, seq + 1).id for seq in range(len(events))]
    for item, event in zip(items, events, strict=True):
        assert same(item["_zooid"]["data"], event["data"])
        assert same(json.loads(item["content_text"]), event["data"])
        assert item["_zooid"]["type"] == event.get("type")
        assert item.get("tags", []) == ([event["type"]] if event.get("type") else [])


def test_a_feed_is_what_the_contract_shows() -> None:
    data = {"symbol": "BTC", "price": 67500.0}
    feed = rendered({"type": "price.update", "data": data})
    (item,) = feed.pop("items")
    assert feed == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "News",
        "description": "What happens",
        "home_page_url": f"{BASE}/api/v1/channels/news",
        "feed_url": FEED.address,
        "_zooid": FEED.position,
    }
    assert item == {
        "id": frame_of({"data": 1}).id,
        "title": "price.update",
        "content_text": json.dumps(data, indent=2),
        "date_published": "2025-01-15T09:30:01.250Z",
        "tags": ["price.update"],
        "_zooid": {"channel_id": "news", "publisher_id": "me", "type": "price.update", "data": data},
    }


def test_the_text_is_yaml_where_that_is_asked_for() -> None:
    entry = entry_of(frame_of({"data": {"a": [1]}}), "yaml")
    assert yaml.safe_load(json.loads(render_json_item(entry))["content_text"]) == {"a": [1]}


def test_a_feed_without_events_and_description_is_still_a_feed() -> None:
    body = render_json_head(FEED._replace(description=None)) + render_json_tail()
    assert json.loads(body)["items"] == [] and "description" not in json.loads(body)
