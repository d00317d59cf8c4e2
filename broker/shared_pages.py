"""Pages of logs that the readers of a process share: one is read and parsed once for all who stand in it.

Readers that were stalled together, or came back together, stand near each other. Each read by itself, the same events
would be fetched and parsed as often as there are readers, in the time of those at the tip. So of one log one page is
read at a time, the others wait in line and look into it first, and the last pages are kept for a moment. Readers that
stood apart stand at the end of the same page after that, and go on together.
"""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Awaitable, Callable
from operator import attrgetter

from broker.ids import Position
from broker.pages import Page

KEPT_S = 1.0
MOST_KEPT = 4
"""Pages of a process, whichever logs they are of."""

Read = Callable[[Position, int], Awaitable[Page]]


class Era:
    """A time in which nothing happens to a log but that events are added, so that a page of it stays true.

    `turn` is held by who reads; `failure` is what the last reading that failed raised.
    """

    __slots__ = ("failure", "turn")

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.failure: Exception | None = None


class _Kept:
    """A page of up to `limit` events with the places that it answers for: from `start` on, before `end`."""

    __slots__ = ("end", "era", "limit", "page", "start")

    def __init__(self, era: Era, limit: int, start: Position, page: Page) -> None:
        self.era = era
        self.limit = limit
        self.start = start
        self.page = page
        self.end = page.scanned or start


class SharedPages:
    """The last pages that were read in a process."""

    def __init__(self, *, kept_s: float = KEPT_S) -> None:
        self._kept_s = kept_s
        self._kept: deque[_Kept] = deque(maxlen=MOST_KEPT)

    async def after(self, era: Era, start: Position, limit: int, read: Read) -> Page:
        """The unfiltered page after a position of the log of this era, by `read` or as another reader has read it.

        One reader of a log has one in a turn of the loop. Pages of another limit are other pages: who takes small steps
        neither slows down who takes large ones nor reads more than it takes.

        Raises what `read` raises, also to those who waited for it: they need not fail one after another.
        """
        known = era.failure
        async with era.turn:
            if era.failure is not None and era.failure is not known:
                raise era.failure
            page = self._find(era, start, limit)
            if page is None:
                return await self._read(era, start, limit, read)
            # Who is at the tip has a turn of the loop between any two of those who catch up.
            await asyncio.sleep(0)
            return page

    def _find(self, era: Era, start: Position, limit: int) -> Page | None:
        for kept in self._kept:
            if kept.era is era and kept.limit == limit and kept.start <= start < kept.end:
                return rest_of(kept.page, start)
        return None

    async def _read(self, era: Era, start: Position, limit: int, read: Read) -> Page:
        try:
            page = await read(start, limit)
        except Exception as error:
            era.failure = error
            raise
        kept = _Kept(era, limit, start, page)
        self._kept.append(kept)
        asyncio.get_running_loop().call_later(self._kept_s, self._forget, kept)
        return page

    def _forget(self, kept: _Kept) -> None:
        if kept in self._kept:
            self._kept.remove(kept)


def rest_of(page: Page, start: Position) -> Page:
    """What of an unfiltered page lies after a position in it."""
    frames = page.frames[bisect_right(page.frames, start, key=attrgetter("position")) :]
    return page._replace(frames=frames, examined=len(frames))
