"""Following a channel across everything that breaks: every event once and in order, or a word about the gap. Pure.

A face asks `next_step`, does it, and says what came of it; it gives the reader what `take` has after each. While a
socket or stream is open it calls `wake` at `due_s`, and leaves it when `is_open` is no more. `now_s` is a clock that
only rises, `chance` a number from 0 to 1.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from tidemark_client.answers import Answer, parse_answer
from tidemark_client.asked import Asked
from tidemark_client.connection import Connection, close_of_stream
from tidemark_client.endings import Close, Resume, after_close, parse_close
from tidemark_client.errors import Cut, TidemarkError, Unreachable
from tidemark_client.event import page_of, parse_event
from tidemark_client.ids import parse_cursor
from tidemark_client.inbox import Given, Inbox
from tidemark_client.polling import Polling
from tidemark_client.requests import spell_types
from tidemark_client.sse import Told, TooLong
from tidemark_client.steps import Ask, Finish, Open, Pause, Step
from tidemark_client.timing import Pauses, Timing, not_before_s
from tidemark_client.ways import Ways

BROKE = "The connection broke"
ABNORMAL = 1006
UPGRADE_REQUIRED = 426


class Follow:
    """One reader's state."""

    def __init__(self, asked: Asked, timing: Timing) -> None:
        self._asked = asked
        self._types = spell_types(asked.types)
        self._timing = timing
        self._inbox = Inbox(None if asked.cursor is None else parse_cursor(asked.cursor))
        self._ways = Ways(asked.transports)
        self._polling = Polling(asked.channel_id, asked.types, timing)
        self._pauses = Pauses(timing.first_s, timing.longest_s)
        self._wait: Callable[[float], float] | None = None
        self._doubt: Callable[[], None] | None = None
        self._end: TidemarkError | None = None
        self._open: Connection | None = None
        self._is_rushed = False

    @property
    def cursor(self) -> str | None:
        """Where a reader that starts anew would begin: behind all that was taken. None before that is known."""
        return self._inbox.cursor

    @property
    def has_begun(self) -> bool:
        """Whether it is settled where the reading begins."""
        return self._inbox.place is not None

    @property
    def error(self) -> TidemarkError | None:
        """How the reading ended, None while it goes on."""
        return self._end

    @property
    def is_open(self) -> bool:
        """Whether the connection that was opened is still wanted."""
        return self._open is not None and self._end is None

    @property
    def due_s(self) -> float:
        """When to call `wake`, while a connection is open."""
        return float("inf") if self._open is None else self._open.due_s

    def take(self) -> Given | None:
        """The next for the reader, None for now."""
        return self._inbox.take()

    def next_step(self, now_s: float, chance: float) -> Step:
        """What to do now, with no connection open."""
        if self._end is not None:
            return Finish(self._end)
        if self._wait is not None:
            pause_s, self._wait = self._wait(chance), None
            if pause_s > 0:
                return Pause(pause_s)
        way, place = self._ways.current, self._inbox.place
        if place is None:
            return Ask(self._asked.first_page)
        if self._doubt is not None or way == "poll":
            return Ask(self._polling.page_after(place, may_wait=self._doubt is None))
        self._open = Connection(way, now_s, now_s + self._timing.open_s)
        query = {"cursor": place, **({} if self._types is None else {"types": self._types})}
        return Open(way, ("channels", self._asked.channel_id, way), query)

    def on_answer(self, answer: Answer, now_s: float) -> None:
        """The call of the last step was answered."""
        with self._ending():
            doubt, self._doubt = self._doubt, None
            if answer.status not in (200, 304):
                return self._refused(answer)
            place = self._inbox.place
            page = None if answer.status == 304 else page_of(parse_answer(answer))
            if page is not None:
                is_unasked = place is None and self._asked.since is None and not self._asked.newest
                kept = replace(page, events=[]) if is_unasked else page
                self._inbox.put_page(place or self._asked.since or "", kept)
            if place is not None:
                self._polling.learn(place, answer)
            if doubt is not None:
                return doubt()
            self._pauses.reset()
            self._is_rushed = False
            if place is not None:
                self._wait = lambda chance: self._polling.pause_s(page, chance)
                self._ways.worked(now_s)
                self._ways.ended(now_s, self._timing.steady_s)
        return None

    def on_open(self, now_s: float) -> None:
        """The socket is open, or the stream's answer has begun."""
        if self._open is not None and self._open.way == "ws":
            self._open.due_s = now_s + self._timing.silence_s

    def on_frame(self, text: str | bytes, now_s: float) -> None:
        """A frame of the socket came."""
        with self._ending():
            self._inbox.put_event(parse_event(text))
            self._heard(now_s)

    def on_chunk(self, chunk: bytes, now_s: float) -> None:
        """Bytes of the stream came."""
        connection = self._open
        with self._ending():
            if connection is None:
                return
            self._heard(now_s)
            try:
                for told in connection.stream.feed(chunk):
                    self._told(told, now_s)
                    if self._open is None:
                        return
            except TooLong:
                raise Cut("The server sent an event without end") from None

    def on_close(self, code: int | None, reason: str, now_s: float) -> None:
        """The connection ended; None is one that broke without a word."""
        close = None if code in (None, ABNORMAL) else parse_close(code or ABNORMAL, reason)
        self._closed(close, now_s)

    def on_refusal(self, answer: Answer, now_s: float) -> None:
        """The socket or stream was refused by an HTTP answer."""
        self._leave(now_s)
        with self._ending():
            if answer.is_ours and answer.status != UPGRADE_REQUIRED:
                return self._refused(answer)
            self._inbox.tell(f"{self._ways.current} is not to be had here ({answer.status}){self._resuming}")
            self._doubt = lambda: self._ways.failed(is_plain=True)
        return None

    def on_failure(self, says: str, now_s: float, *, is_passing: bool = True) -> None:
        """Nothing came of the last step: no connection, or no answer in time."""
        self._doubt = None
        connection = self._leave(now_s)
        if is_passing:
            self._lost(connection, says)
        else:
            self._end = Unreachable(says, is_passing=False)

    def wake(self, now_s: float) -> Ask | None:
        """Nothing came for so long: what to ask, for `on_probe`, or None where the connection is given up."""
        connection, place = self._open, self._inbox.place
        if connection is None or place is None:
            return None
        if connection.way == "ws" and not connection.is_behind:
            connection.asked = place
            return Ask(self._polling.page_after(place, may_wait=False))
        self._lost(self._leave(now_s), "The connection is silent")
        return None

    def on_probe(self, answer: Answer | None, now_s: float) -> None:
        """What `wake` asked for was answered; None is no answer in time."""
        connection = self._open
        if connection is None:
            return
        if answer is None:
            self._closed(None, now_s)
            return
        with self._ending():
            connection.due_s = now_s + self._timing.silence_s
            if answer.status != 200 or connection.asked != self._inbox.place:
                return
            page = page_of(parse_answer(answer))
            self._polling.learn(connection.asked, answer)
            if page.events or not page.is_complete:
                connection.is_behind, connection.due_s = True, now_s + self._timing.grace_s
            else:
                self._inbox.move(page.cursor)

    def _told(self, told: Told, now_s: float) -> None:
        if told.kind == "close":
            self._closed(close_of_stream(told.data), now_s)
        elif told.kind == "cursor_expired":
            self._inbox.put_gap(self._inbox.place or "", told.id)
        elif told.data:
            self._inbox.put_event(parse_event(told.data))
        elif told.id:
            self._inbox.move(told.id)

    def _heard(self, now_s: float) -> None:
        """Something came on the connection."""
        self._pauses.reset()
        self._is_rushed = False
        self._ways.worked(now_s)
        if self._open is not None:
            span_s = self._timing.silence_s * (1 if self._open.way == "ws" else 2)
            self._open.has_spoken, self._open.is_behind, self._open.due_s = True, False, now_s + span_s

    def _closed(self, close: Close | None, now_s: float) -> None:
        connection = self._leave(now_s)
        with self._ending():
            if close is not None:
                self._come_back(after_close(close, is_renewable=self._asked.is_renewable))
            else:
                self._lost(connection, BROKE)

    def _lost(self, connection: Connection | None, says: str) -> None:
        """It broke without a word from the server; where it never spoke either, a poll tells whose fault that is."""
        if connection is None or connection.has_spoken:
            self._come_back(Resume(None, says))
        else:
            self._inbox.tell(f"{says}{self._resuming}")
            self._doubt = self._failed

    def _leave(self, now_s: float) -> Connection | None:
        connection, self._open = self._open, None
        if connection is not None:
            self._ways.ended(now_s, self._timing.steady_s)
            if now_s - connection.since_s > self._timing.open_s:
                self._pauses.reset()
        return connection

    def _failed(self) -> None:
        """HTTP works and the other way did not."""
        self._ways.failed()
        self._wait = self._pauses.next_s

    def _refused(self, answer: Answer) -> None:
        refusal = answer.refusal
        if answer.status == 401 and self._asked.is_renewable and not self._is_rushed:
            self._come_back(Resume(None, "The token was refused; coming back with a new one", "at once"))
        elif refusal.is_passing or refusal.status >= 500:
            self._come_back(Resume(None, str(refusal), least_s=refusal.retry_after_s or 0.0))
        else:
            raise refusal

    def _come_back(self, resume: Resume) -> None:
        if resume.is_gap and resume.cursor is not None:
            self._inbox.put_gap(self._inbox.place or "", resume.cursor)
        else:
            if resume.cursor is not None:
                self._inbox.move(resume.cursor)
            self._inbox.tell(f"{resume.says}{self._resuming}")
        self._wait = lambda chance: self._pause_s(resume, chance)

    def _pause_s(self, resume: Resume, chance: float) -> float:
        if resume.pace == "growing" or self._is_rushed:
            pause_s = self._pauses.next_s(chance)
        else:
            self._is_rushed = True
            pause_s = 0.0 if resume.pace == "at once" else self._pauses.spread_s(chance)
        return max(pause_s, not_before_s(resume.least_s, chance))

    @property
    def _resuming(self) -> str:
        place = self._inbox.place
        return "; trying again" if place is None else f"; resuming after {place}"

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """What is raised inside is how the reading ends."""
        try:
            yield
        except TidemarkError as error:
            self._end = error
