"""What a reader asks for: which events of which channel, from where on, and over what. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from tidemark_client.answers import Call
from tidemark_client.requests import PAGE_EVENTS, page_call
from tidemark_client.ways import TRANSPORTS, Transport


class Asked(NamedTuple):
    """What to follow: a channel, only these types (None: all), and where to begin.

    After `cursor`; or with the first event after a time, `since`; or with the `newest` so many; else from now on.
    `is_renewable` tells that an expired token is no reason to stop, as there will be a new one.
    """

    channel_id: str
    types: list[str] | None = None
    cursor: str | None = None
    since: str | None = None
    newest: int = 0
    transports: Sequence[Transport] = TRANSPORTS
    is_renewable: bool = False

    @property
    def first_page(self) -> Call:
        """What finds the first cursor where none is given."""
        if self.since is not None:
            return page_call(self.channel_id, since=self.since, types=self.types, limit=PAGE_EVENTS)
        return page_call(self.channel_id, types=self.types if self.newest else None, limit=max(1, self.newest))
