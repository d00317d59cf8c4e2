"""What came for a reader and what it has taken: every event once, in order, and each gap in its place. Pure.

Two places: `place` is where the next connection begins, behind all that came; `cursor` is where a reader that starts
anew would begin, behind all that was taken. Ids only rise within a log, which is the proof against duplicates; after a
fail-over a log may have ended before what was read last, so a gap begins the proof anew.
"""

from collections import deque
from typing import NamedTuple

from tidemark_client.errors import Gap
from tidemark_client.event import Event, Page
from tidemark_client.requests import gap_of


class Trouble(NamedTuple):
    """Why the reader has to come back, for a log or a person; nothing is lost by it."""

    text: str


class _Position(NamedTuple):
    cursor: str


Given = Event | Gap | Trouble


class Inbox:
    """The inbox of one reader."""

    def __init__(self, cursor: str | None) -> None:
        self.place = cursor
        self.cursor = cursor
        self._came: deque[Given | _Position] = deque()
        self._last = ""
        self._said = ""

    def put_event(self, event: Event) -> None:
        """An event came; one that came before is dropped."""
        if event.id > self._last:
            self._came.append(event)
            self._last = self.place = event.id

    def put_page(self, asked: str, page: Page) -> None:
        """A page came that was asked for after `asked`."""
        if (gap := gap_of(asked, page)) is not None:
            self.put_gap(*gap)
        for event in page.events:
            self.put_event(event)
        self.move(page.cursor)

    def put_gap(self, after: str, resume: str) -> None:
        """What lies between is gone."""
        self._came.append(Gap(after, resume))
        self._last, self.place = "", resume

    def move(self, cursor: str) -> None:
        """There is nothing for this reader up to this cursor."""
        if cursor != self.place:
            self.place = cursor
            self._came.append(_Position(cursor))

    def tell(self, text: str) -> None:
        """Something is wrong; the same text is told once, until something else is."""
        if text != self._said:
            self._came.append(Trouble(text))
        self._said = text

    def take(self) -> Given | None:
        """The next for the reader, None for now; `cursor` moves with it."""
        while self._came:
            given = self._came.popleft()
            if isinstance(given, Event):
                self.cursor = given.id
            elif isinstance(given, Gap):
                self.cursor = given.resume
            elif isinstance(given, _Position):
                self.cursor = given.cursor
                continue
            return given
        return None
