"""Webhooks: every endpoint is a reader of its channel's log that happens to POST (design section 5).

`deliver` does what a marked endpoint has to do, in rounds: read after its cursor, send what may be sent, record what
came of it in one commit. A process that dies between the two sends at most one round again, with the same ids. The
commit is on the version of the state that the round began with, so whoever lost the endpoint meanwhile records nothing.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import NamedTuple
from weakref import WeakValueDictionary

from broker.change import Change, Delete, Document, DocumentKey, Put
from broker.channels import DAY_MS, ChannelRecord
from broker.deliveries import Outcome, Settled, Stretch, Waiting, due_after, plan, settle
from broker.delivery_log import Row, gap_of, keys_of, put_row, row_of
from broker.delivery_signing import Delivered
from broker.endpoints import Endpoint, Owner
from broker.errors import NotFound, Refusal
from broker.ids import Position, render_ulid
from broker.progress import Progress, parse_progress, render_progress, resumed
from broker.retry import parse_retry_after
from broker.storage.commit import Commits, Fenced
from broker.storage.deliveries import Deliveries
from broker.storage.endpoints import Endpoints
from broker.storage.log import Log, Stale
from broker.storage.state import Loaded, Reader
from broker.strictjson import render_json
from broker.tenants import owner_of
from broker.timers import Claimed, TimerName
from broker.webclient import Answered, Call

STATE = "webhook"
PAGE_EVENTS = 100
LEASE_S = 60.0
WORK_S = 10.0
"""How long a claim begins new attempts: with the longest attempt behind it, it ends before its lease."""

AT_ONCE = 2
"""How many attempts are under way to one endpoint."""

IDLE_MS = 300_000
"""How often an endpoint is looked at that nothing was published for: it may have ended, or be allowed to read again."""

Send = Callable[[Call], Awaitable[Answered]]
Sign = Callable[[Endpoint, Delivered, int], dict[str, str]]
MayRead = Callable[[ChannelRecord, Owner], Awaitable[bool]]


class Parts(NamedTuple):
    """What deliveries are made with. `sign` gives the headers of a delivery at a time in ms."""

    log: Log
    endpoints: Endpoints
    reader: Reader
    commits: Commits
    deliveries: Deliveries
    send: Send
    sign: Sign
    may_read: MayRead
    refresh: Callable[[str], Awaitable[ChannelRecord]]
    timeout_s: float = 15.0


class Target(NamedTuple):
    """An endpoint at the beginning of a round: `began` is our own clock when the engine's was `now_ms`."""

    channel: ChannelRecord
    endpoint: Endpoint
    document: Document | None
    progress: Progress
    now_ms: int
    began: float

    def time_ms(self) -> int:
        """The time now by the engine's clock."""
        return self.now_ms + round((monotonic() - self.began) * 1000)


class Webhooks:
    """Serves the endpoints that this process claims."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._at_work: WeakValueDictionary[TimerName, asyncio.Lock] = WeakValueDictionary()
        self.sent = 0
        self.failed = 0

    async def deliver(self, claimed: Claimed) -> None:
        """Serve a claimed endpoint until it has nothing to send now, or for a while. Raises `Fenced`, `Unavailable`."""
        try:
            # Where the clock was set forward, or this process stood still, it may be ours already.
            async with self._at_work.setdefault(claimed.timer.name, asyncio.Lock()):
                due_ms = await self._work(claimed.timer.name, monotonic() + WORK_S)
        except asyncio.CancelledError:
            # The process ends: another one goes on at once.
            with suppress(Refusal):
                await asyncio.shield(self._parts.deliveries.release(claimed, after_ms=0))
            raise
        if not await self._parts.deliveries.rest(claimed, due_ms):
            raise Fenced

    async def _work(self, name: TimerName, ends: float) -> int | None:
        """Rounds until nothing is to be sent now, or the time is over; when there is something again."""
        while True:
            now_ms, due_ms = await self._round(name, ends)
            if due_ms is None or due_ms > now_ms or monotonic() >= ends:
                return due_ms

    async def _round(self, name: TimerName, ends: float) -> tuple[int, int | None]:
        """One round; the time, and when the next one is due."""
        try:
            channel = await self._parts.refresh(name.owner)
            target = await self._target(channel, name)
            if target is None:
                await self._forget(channel, name)
                return 0, None
            return await self._serve(target, name.subject, ends)
        except NotFound:
            return 0, None
        except (Stale, Fenced):
            # The channel, or where the endpoint goes on from, was changed meanwhile: look again.
            return 0, 0

    async def _target(self, channel: ChannelRecord, name: TimerName) -> Target | None:
        letters, _, endpoint_id = name.subject.partition("/")
        began = monotonic()
        found = await self._parts.endpoints.following(channel, endpoint_id) if letters == channel.tag_letters else None
        if found is None:
            return None
        document = await self._state(channel, name.subject)
        progress = parse_progress(document.body) if document else Progress(found.cursor)
        return Target(channel, found.endpoint, document, progress, found.now_ms, began)

    async def _state(self, channel: ChannelRecord, subject: str) -> Document | None:
        key = state_of(subject)
        return (await self._parts.reader.read(channel.partition, [key])).loaded.documents[key]

    async def _forget(self, channel: ChannelRecord, name: TimerName) -> None:
        """It was removed, or has expired."""
        if name.subject.startswith(channel.tag_letters):
            await self._parts.endpoints.prune(channel)
        key = state_of(name.subject)

        def decide(loaded: Loaded) -> Change:
            found = loaded.documents[key]
            return Change((Delete(key, found.version),)) if found else Change()

        await self._parts.commits.execute(owner_of(name.owner), [key], decide)

    async def _serve(self, target: Target, subject: str, ends: float) -> tuple[int, int | None]:
        progress, now_ms, idle_ms = target.progress, target.now_ms, target.now_ms + IDLE_MS
        if not target.channel.is_public and not await self._parts.may_read(target.channel, target.endpoint.owner):
            return now_ms, idle_ms
        if progress.paused == "gone" or progress.hold_until_ms > now_ms:
            return now_ms, max(progress.hold_until_ms, now_ms + 1) if progress.paused != "gone" else idle_ms
        behind, ahead, gaps = await self._read(target)
        planned = plan(progress, behind, ahead, now_ms)
        outcomes = await _in_order(planned.sends, lambda each: self._attempt(target, each), ends)
        chances = [random.random() for _ in planned.sends]  # noqa: S311
        settled = settle(progress, planned, outcomes, now_ms, chances)
        await self._record(target, subject, settled, [*gaps, *map(row_of, settled.attempts)])
        then_ms = target.time_ms()
        due_ms = settled.progress.due_ms(then_ms, has_more=planned.has_more)
        return then_ms, min(due_ms if due_ms is not None else idle_ms, idle_ms, target.endpoint.expires_ms)

    async def _read(self, target: Target) -> tuple[Stretch | None, Stretch, list[Row]]:
        progress, channel = target.progress, target.channel
        kinds = target.endpoint.event_types
        types = None if kinds is None else frozenset(render_json(kind) for kind in kinds)
        log, place = self._parts.log, due_after(progress, target.now_ms)
        behind = None
        if place is not None:
            page = await log.after(channel, place, limit=PAGE_EVENTS, types=types)
            frames = [each for each in page.frames if each.position <= progress.cursor]
            whole = not page.more or page.scanned is None or page.scanned >= progress.cursor
            end = progress.cursor if whole or page.scanned is None else page.scanned
            behind = Stretch(frames, end, whole)
        page = await log.after(channel, progress.cursor, limit=PAGE_EVENTS, types=types)
        trimmed, known = page.meta.trimmed, progress.cursor if place is None else min(place, progress.cursor)
        ahead = Stretch(page.frames, max(progress.cursor, page.scanned or trimmed, trimmed), not page.more)
        letters = channel.tag_letters
        gaps = [gap_of(render_ulid(letters, known), render_ulid(letters, trimmed), target.now_ms)]
        return behind, ahead, gaps if known < trimmed else []

    async def _attempt(self, target: Target, waiting: Waiting) -> Outcome | None:
        """One delivery; None when its time was over before it began."""
        now_ms, frame, endpoint = target.time_ms(), waiting.frame, target.endpoint
        if now_ms >= endpoint.expires_ms:
            return None
        headers = self._parts.sign(endpoint, Delivered(frame.id, target.channel.id, frame.wire), now_ms)
        answer = await self._parts.send(Call("POST", endpoint.url, headers, frame.wire, self._parts.timeout_s))
        then_ms = target.time_ms()
        # Every receiver that is overloaded says so by one of these; elsewhere the header means something else.
        is_asked = answer.status in (429, 503)
        retry_after_ms = parse_retry_after(answer.headers.get("Retry-After"), then_ms) if is_asked else 0
        outcome = Outcome(answer.status, answer.error, then_ms, answer.duration_ms, retry_after_ms)
        self.sent += outcome.is_taken
        self.failed += not outcome.is_taken
        return outcome

    async def _record(self, target: Target, subject: str, settled: Settled, rows: Sequence[Row]) -> None:
        if settled.progress == target.progress and not rows:
            return
        key, first = state_of(subject), target.progress.logged
        places = keys_of(subject, first, len(rows))
        after = replace(settled.progress, logged=first + len(rows))
        expected = target.document.version if target.document else 0

        def decide(loaded: Loaded) -> Change:
            found, kept = loaded.documents[key], after
            version = found.version if found else 0
            if version != expected:
                if found is None or not target.progress.is_where(parse_progress(found.body)):
                    raise Fenced
                # Somebody ended a pause meanwhile, so that holds for what waits now.
                kept = resumed(after, loaded.now_ms)
            puts = [Put(key, version, render_progress(kept), (), target.endpoint.expires_ms + DAY_MS)]
            for step, (place, row) in enumerate(zip(places, rows, strict=True)):
                puts.append(put_row(place, loaded.documents[place], subject, first + step, row, loaded.now_ms))
            return Change(tuple(puts))

        await self._parts.commits.execute(owner_of(target.channel.id), [key, *places], decide)


def state_of(subject: str) -> DocumentKey:
    """The document of an endpoint's progress."""
    return DocumentKey(STATE, subject)


Attempting = Callable[[Waiting], Awaitable[Outcome | None]]


async def _in_order(sends: Sequence[Waiting], attempt: Attempting, ends: float) -> dict[Position, Outcome]:
    """What came of the attempts: `AT_ONCE` at a time, and of two with a common key the second after the first."""
    outcomes: dict[Position, Outcome] = {}
    gate, last, told = asyncio.Semaphore(AT_ONCE), dict[str, "asyncio.Task[bool]"](), asyncio.Event()

    async def one(each: Waiting, earlier: Sequence["asyncio.Task[bool]"]) -> bool:
        for task in earlier:
            if not await task:
                return False
        async with gate:
            outcome = None if told.is_set() or monotonic() >= ends else await attempt(each)
        if outcome is None:
            return False
        if outcome.retry_after_ms or outcome.status == 410:
            told.set()
        outcomes[each.frame.position] = outcome
        return outcome.is_taken

    async with asyncio.TaskGroup() as group:
        for each in sends:
            task = group.create_task(one(each, [last[key] for key in each.keys if key in last]))
            last.update(dict.fromkeys(each.keys, task))
    return outcomes
