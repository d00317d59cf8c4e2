"""Answers to polls that are ready: the bytes of a page, for as long as nothing in its log has changed.

A page is known by the log's own word of itself (its newest event, its last trim, its revision and the record's) and by
the request as it was sent. So an entry is never out of date, only out of use; the least used go first.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import NamedTuple

from starlette.responses import Response

from handlers.caching import is_known

MOST_BYTES = 16_777_216


class ReadyPage(NamedTuple):
    """An answer with its validator, and the answer to those who have it."""

    etag: str
    whole: Response
    not_modified: Response

    def answer(self, if_none_match: str) -> Response:
        """The one that the client needs."""
        return self.not_modified if if_none_match and is_known(if_none_match, self.etag) else self.whole


class ReadyPages:
    """At most `most_bytes` of bodies."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._pages: OrderedDict[Hashable, ReadyPage] = OrderedDict()

    def get(self, key: Hashable) -> ReadyPage | None:
        """The answer that was put there."""
        page = self._pages.get(key)
        if page is not None:
            self._pages.move_to_end(key)
        return page

    def put(self, key: Hashable, whole: Response) -> None:
        """Keep a whole answer that has an ETag; others are not kept."""
        etag, size = whole.headers.get("etag"), len(whole.body)
        if etag is None or key in self._pages or size > self._most_bytes // 8:
            return
        headers = {name: value for name, value in whole.headers.items() if not name.startswith("content-")}
        self._pages[key] = ReadyPage(etag, whole, Response(status_code=304, headers=headers))
        self._bytes += size
        while self._bytes > self._most_bytes:
            _, oldest = self._pages.popitem(last=False)
            self._bytes -= len(oldest.whole.body)
