"""RSS read back by a feed reader: one event in, one item out, whatever is in it."""

import html
from typing import Any
from xml.etree import ElementTree

import feedparser  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.channels.feed import Feed, entry_of
from handlers.channels.rss import render_rss_head, render_rss_item, render_rss_tail
from tests.feed_samples import BASE, FEED, drafts, frame_of
from tests.json_values import TRAPS, same, texts


def rendered(*events: dict[str, Any], feed: Feed = FEED) -> bytes:
    items = [render_rss_item(entry_of(frame_of(event, seq), "yaml")) for seq, event in enumerate(events, 1)]
    return render_rss_head(feed) + b"".join(items) + render_rss_tail()


def texts_of(body: bytes, name: str) -> list[str]:
    root = ElementTree.fromstring(body)  # noqa: S314 - our own
    return [element.text or "" for element in root.findall(f"channel/item/{name}")]


@given(st.lists(drafts, max_size=4))
@settings(max_examples=60, deadline=None)
def test_one_event_in_is_one_item_out(events: list[dict[str, Any]]) -> None:
    body = rendered(*events)
    parsed = feedparser.parse(body)
    assert not parsed.bozo
    assert [entry.id for entry in parsed.entries] == [frame_of({"data": 1}, seq + 1).id for seq in range(len(events))]
    assert len(texts_of(body, "title")) == len(texts_of(body, "guid")) == len(events)


@given(drafts)
@settings(max_examples=60, deadline=None)
def test_the_text_of_an_item_is_the_data(event: dict[str, Any]) -> None:
    expected = entry_of(frame_of(event), "yaml").text
    (description,) = texts_of(rendered(event), "description")
    assert html.unescape(description) == expected
    assert "<" not in description


@pytest.mark.parametrize("trap", TRAPS)
def test_a_reader_shows_no_markup_and_loses_nothing(trap: str) -> None:
    event = {"data": {"say": trap, "list": [trap]}}
    (entry,) = feedparser.parse(rendered(event)).entries
    assert same(yaml.safe_load(html.unescape(entry.summary)), event["data"])


@given(texts.filter(lambda text: len(text) <= 256))
def test_a_type_is_one_line_of_title_and_injects_nothing(kind: str) -> None:
    body = rendered({"data": 1, "type": kind}, {"data": 2})
    first, second = texts_of(body, "title")
    assert first and len(first.splitlines()) == 1 and second == "event"


def test_a_feed_is_what_the_contract_shows() -> None:
    parsed = feedparser.parse(rendered({"type": "price.update", "data": {"symbol": "BTC", "price": 67500.0}}))
    assert (parsed.version, parsed.feed.title, parsed.feed.subtitle) == ("rss20", "News", "What happens")
    assert parsed.feed.link == f"{BASE}/api/v1/channels/news"
    assert {"rel": "self", "type": "application/rss+xml", "href": FEED.address} in parsed.feed.links
    (entry,) = parsed.entries
    assert (entry.title, entry.summary) == ("price.update", "symbol: BTC\nprice: 67500.0")
    assert (entry.published, entry.guidislink) == ("Wed, 15 Jan 2025 09:30:01 GMT", False)


def test_a_channel_without_a_description_is_described_by_its_name() -> None:
    parsed = feedparser.parse(rendered(feed=FEED._replace(description=None)))
    assert (parsed.feed.subtitle, parsed.entries) == ("News", [])
