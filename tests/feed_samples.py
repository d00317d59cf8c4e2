"""Events made as a publish makes them, for the tests of feeds."""

from typing import Any

from hypothesis import strategies as st

from broker.events import EventLimits, Frame, frame, parse_draft, store
from broker.ids import Position, render_tag
from handlers.channels.feed import Feed
from tests.json_values import texts, values

BASE = "https://events.example.com"
FEED = Feed(
    "News",
    "What happens",
    f"{BASE}/api/v1/channels/news",
    f"{BASE}/api/v1/channels/news/rss",
    {"cursor": "01HZQX5K9V6BMRJ3WYAT0GN1PH", "has_more": False, "complete": True},
)

drafts = st.fixed_dictionaries({"data": values}, optional={"type": texts.filter(lambda text: len(text) <= 256)})


def frame_of(draft: dict[str, Any], seq: int = 1) -> Frame:
    """The frame of an event with this body, published at a fixed time."""
    stored = store(parse_draft(draft, EventLimits()), "news", "me", "Me")
    return frame(render_tag(7), Position(1_736_933_401_250, seq), stored.type_json, stored.tail)
