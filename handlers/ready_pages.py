"""Answers to polls that are ready: the bytes of a page, for as long as nothing in its log has changed.

A page is kept for the request as it was sent, with the log's own word of itself (its newest event, its last trim, its
revision and the record's) from before the page was read. Who asks the log again and hears the same may give that page.
The least used go first.
"""

from collections import OrderedDict
from typing import NamedTuple

from starlette.responses import Response

from broker.channels import ChannelRecord
from broker.cursors import LogMeta
from handlers.caching import is_known
from handlers.responses import ReadyAnswer, ready

Asked = tuple[bytes, bytes]
"""Path and query, as sent."""

MOST_BYTES = 16_777_216
AROUND_BYTES = 2_048
"""What a page takes beside its body: its key, its header lines, and the objects that hold it."""


class ReadyPage(NamedTuple):
    """An answer, what its log said of itself, its validator, and the answer to those who have it."""

    channel: ChannelRecord
    meta: LogMeta
    etag: str
    whole: ReadyAnswer
    not_modified: ReadyAnswer

    def answer(self, if_none_match: str) -> ReadyAnswer:
        """The one that the client needs."""
        return self.not_modified if if_none_match and is_known(if_none_match, self.etag) else self.whole


class ReadyPages:
    """At most `most_bytes` of bodies and of what is around them: small pages are many, and anybody can ask for them."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._pages: OrderedDict[Asked, ReadyPage] = OrderedDict()

    def get(self, asked: Asked) -> ReadyPage | None:
        """The answer that was put there last."""
        page = self._pages.get(asked)
        if page is not None:
            self._pages.move_to_end(asked)
        return page

    def put(self, asked: Asked, channel: ChannelRecord, meta: LogMeta, whole: Response) -> None:
        """Keep a whole answer that has an ETag; others are not kept."""
        etag, size = whole.headers.get("etag"), _size(whole.body)
        if etag is None or size > self._most_bytes // 8:
            return
        former = self._pages.pop(asked, None)
        if former is not None:
            self._bytes -= _size(former.whole.body)
        headers = {name: value for name, value in whole.headers.items() if not name.startswith("content-")}
        self._pages[asked] = ReadyPage(
            channel, meta, etag, ready(whole), ready(Response(status_code=304, headers=headers))
        )
        self._bytes += size
        while self._bytes > self._most_bytes:
            _, oldest = self._pages.popitem(last=False)
            self._bytes -= _size(oldest.whole.body)


def _size(body: bytes | memoryview) -> int:
    return len(body) + AROUND_BYTES
