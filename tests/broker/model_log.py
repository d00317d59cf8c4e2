"""One channel and its log as plain lists, with an engine's habits: every call runs at some moment after it was made, is
answered at some moment after that, or never. A test decides when."""

import asyncio
import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from broker.channels import ChannelRecord
from broker.cursors import LogMeta
from broker.errors import NotFound, Unavailable
from broker.events import Frame, frame
from broker.ids import Position
from broker.pages import Page, Types
from broker.storage.feed import FeedEvent, FeedMessage
from broker.storage.log import Stale

RECORD = ChannelRecord("news", 7, 0, 1_000, 1, "News", None, (), True, None, None)


@dataclass(slots=True)
class Event:
    """An event of the model; `era` is the version of the private record it was published under, 0 under a public."""

    position: Position
    type_json: bytes | None
    size: int
    era: int

    @property
    def tail(self) -> bytes:
        return b'"data":"' + b"x" * self.size + b'"}'

    @property
    def frame(self) -> Frame:
        return frame(RECORD.tag_letters, self.position, self.type_json, self.tail)


@dataclass(slots=True)
class State:
    """What an engine holds, and loses when it goes back to an earlier state."""

    record: ChannelRecord | None = RECORD
    events: list[Event] = field(default_factory=list)
    top: Position = RECORD.start
    trimmed: Position = RECORD.start
    revision: int = 0
    count: int = 0

    def meta(self) -> LogMeta | None:
        if self.record is None:
            return None
        largest = max((len(each.tail) for each in self.events), default=0)
        return LogMeta(RECORD.start, self.top, self.trimmed, self.revision, self.record.version, self.count, largest)


@dataclass(slots=True)
class Call:
    """A call under way: `run` is what the engine will do, `outcome` what it did."""

    run: Callable[[], Any]
    future: "asyncio.Future[Any]"
    outcome: Any = None
    has_run: bool = False

    def execute(self) -> None:
        if not self.has_run:
            self.has_run = True
            try:
                self.outcome = self.run()
            except Exception as error:
                self.outcome = error

    def answer(self) -> None:
        self.execute()
        self._settle(self.outcome)

    def fail(self) -> None:
        self._settle(Unavailable("cut"))

    def _settle(self, outcome: Any) -> None:
        if self.future.done():
            return
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class ModelLog:
    """Stands where `Log` and `Channels` stand for a `Watched`; the feed's messages wait in `messages`."""

    def __init__(self) -> None:
        self.state = State()
        self.history: dict[Position, Event] = {}
        self.deleted: set[Position] = set()
        self.messages: list[FeedMessage | None] = []
        self.calls: list[Call] = []
        self.now_ms = RECORD.created_ms

    async def after(
        self, record: ChannelRecord, start: Position, *, limit: int, types: Types | None, most_bytes: int
    ) -> Page:
        """As `Log.after`."""
        page: Page = await self._call(lambda: self._page(record, start, limit, types, most_bytes))
        return page

    async def refresh(self, channel_id: str) -> ChannelRecord:
        """As `Channels.refresh`."""
        record: ChannelRecord = await self._call(self._record)
        return record

    def append(self, sizes: Sequence[int], kind: bytes | None, *, is_told_whole: bool) -> None:
        state = self.state
        if state.record is None:
            return
        self.now_ms += 1
        previous = state.top
        era = 0 if state.record.is_public else state.record.version
        events = [Event(Position(self.now_ms, i), kind, size, era) for i, size in enumerate(sizes)]
        state.events += events
        state.top = events[-1].position
        state.count += len(events)
        self.history.update({event.position: event for event in events})
        told = [FeedEvent(event.position, event.type_json, event.tail) for event in events] if is_told_whole else []
        self._tell(previous, told)

    def delete_event(self, index: int) -> None:
        state = self.state
        if state.record is not None and state.events:
            self.deleted.add(state.events.pop(index % len(state.events)).position)
            state.revision += 1
            self._tell(state.top, [])

    def trim(self, count: int) -> None:
        state = self.state
        if state.record is not None and state.events:
            state.trimmed = state.events[: count + 1][-1].position
            del state.events[: count + 1]
            state.revision += 1
            self._tell(state.top, [])

    def change(self, *, is_public: bool) -> None:
        state = self.state
        if state.record is not None:
            state.record = replace(state.record, is_public=is_public, version=state.record.version + 1)
            state.revision += 1
            self._tell(state.top, [])

    def delete_channel(self) -> None:
        if self.state.record is not None:
            self.state.record = None
            self.messages.append(None)

    def snapshot(self) -> State:
        return copy.deepcopy(self.state)

    def _tell(self, previous: Position, events: list[FeedEvent]) -> None:
        state = self.state
        assert state.record is not None
        self.messages.append(
            FeedMessage(previous, state.top, state.trimmed, state.revision, state.record.version, events)
        )

    async def _call(self, run: Callable[[], Any]) -> Any:
        call = Call(run, asyncio.get_running_loop().create_future())
        self.calls.append(call)
        try:
            return await call.future
        finally:
            self.calls.remove(call)

    def _record(self) -> ChannelRecord:
        if self.state.record is None:
            raise NotFound("gone")
        return self.state.record

    def _page(self, record: ChannelRecord, start: Position, limit: int, types: Types | None, most_bytes: int) -> Page:
        meta = self.state.meta()
        if meta is None or meta.record_version != record.version:
            raise Stale
        frames: list[Frame] = []
        scanned, examined, size, more = None, 0, 0, False
        for event in self.state.events:
            if event.position <= start:
                continue
            fits = types is None or event.type_json in types
            if (fits and len(frames) == limit) or size >= most_bytes:
                more = True
                break
            frames += [event.frame] if fits else []
            scanned, examined, size = event.position, examined + 1, size + len(event.tail)
        return Page(frames, scanned, more, examined, meta)
