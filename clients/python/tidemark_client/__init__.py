"""A client of Tidemark: publish with safe retries, read pages, follow channels across everything that breaks.

    with Client("http://127.0.0.1:8000", token=...) as client:
        client.publish("orders", {"order": 1})
        for event in client.follow("orders"):
            print(event.id, event.data)

`AsyncClient` is the same for asyncio. Both are thin: what to do when is decided by the modules that do no I/O
(`following`, `retrying`), which the client for JavaScript has too, held alike by the cases in `clients/cases`.
"""

from tidemark_client.async_client import AsyncClient
from tidemark_client.async_follower import AsyncFollower
from tidemark_client.client import Client
from tidemark_client.errors import (
    ChannelEnded,
    Cut,
    Gap,
    GapFound,
    Invalid,
    Refused,
    TidemarkError,
    Unreachable,
)
from tidemark_client.event import Event, Page
from tidemark_client.follower import Follower
from tidemark_client.requests import Draft, RawJson
from tidemark_client.timing import Timing

__all__ = [
    "AsyncClient",
    "AsyncFollower",
    "ChannelEnded",
    "Client",
    "Cut",
    "Draft",
    "Event",
    "Follower",
    "Gap",
    "GapFound",
    "Invalid",
    "Page",
    "RawJson",
    "Refused",
    "TidemarkError",
    "Timing",
    "Unreachable",
]
