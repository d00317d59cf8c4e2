"""Polls of a channel: which page to ask for, and when again. Pure.

A page that shared caches may keep is polled as often as they keep it, under the one URL that all readers at this place
use, and with its ETag; so many readers cost the server one request. Any other is asked for as a long poll.
"""

import re

from tidemark_client.answers import Answer, Call
from tidemark_client.event import Page
from tidemark_client.requests import page_call
from tidemark_client.timing import Timing

_KEPT_FOR = re.compile(r"\bs-maxage=(\d+)")


class Polling:
    """The polls of one reader with this filter."""

    def __init__(self, channel_id: str, types: list[str] | None, timing: Timing) -> None:
        self._channel_id = channel_id
        self._types = types
        self._timing = timing
        self._etag: tuple[str, str] | None = None
        self._is_shared = True
        self._poll_s = timing.poll_s

    def page_after(self, cursor: str, *, may_wait: bool = True) -> Call:
        """The next page; held by the server until something comes, where nobody shares it and it `may_wait`."""
        if not self._is_shared and may_wait:
            return page_call(self._channel_id, cursor=cursor, types=self._types, wait_s=self._timing.wait_s)
        etag = self._etag[1] if self._etag and self._etag[0] == cursor else None
        return page_call(self._channel_id, cursor=cursor, types=self._types, etag=etag)

    def learn(self, cursor: str, answer: Answer) -> None:
        """Take in what an answer says of how to poll."""
        if found := _KEPT_FOR.search(answer.headers.get("cache-control", "")):
            self._is_shared, self._poll_s = True, float(found[1]) or self._timing.poll_s
        elif answer.status == 200:
            self._is_shared = False
        if answer.status == 200:
            etag = answer.headers.get("etag")
            self._etag = (cursor, etag) if etag else None

    def pause_s(self, page: Page | None, chance: float) -> float:
        """Seconds until the next poll; `page` is None for one that did not change."""
        if page is not None and (page.has_more or (page.events and not self._is_shared)):
            return 0.0
        # An empty long poll comes back when its time is over, or early from a server that stops.
        return self._poll_s * (1 - chance / 4) if self._is_shared else self._timing.first_s * chance
