"""Webhooks: every endpoint is a reader of its channel's log that happens to POST (design section 5).

`deliver` does what a marked endpoint has to do, in rounds: read after its cursor, send what may be sent, record what
came of it in one commit. A process that dies between the two sends at most one round again, with the same ids. The
commit is on the version of the state that the round began with, so whoever lost the endpoint meanwhile records nothing.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import NamedTuple
from weakref import WeakValueDictionary

from broker.change import Change, Delete, Document, DocumentKey, Put
from broker.channels import DAY_MS, ChannelRecord
from broker.deliveries import Outcome, Settled, Stretch, Waiting, due_after, plan, settle
from broker.delivery_forms import Facts, Form, Noting, note_rows
from broker.delivery_log import Row, gap_of
from broker.endpoints import Endpoint
from broker.errors import NotFound, Refusal
from broker.ids import Position, render_ulid
from broker.progress import Progress, parse_progress, render_progress, restarted, resumed
from broker.retry import parse_retry_after
from broker.sending import send_in_order
from broker.storage.commit import Commits, Fenced
from broker.storage.deliveries import Deliveries
from broker.storage.endpoints import Endpoints
from broker.storage.log import Log, Stale
from broker.storage.state import Loaded, Reader
from broker.tenants import owner_of
from broker.timers import Claimed, TimerName
from broker.webclient import Answered, Call

STATE = "webhook"
PAGE_EVENTS = 100
LEASE_S = 60.0
WORK_S = 10.0
"""How long a claim begins new attempts: with the longest attempt behind it, it ends before its lease."""

ENDS = ("delivered", "dead")
"""The verdicts after which an event is not sent again."""

IDLE_MS = 300_000
"""How often an endpoint is looked at that nothing was published for: it may have ended, or be allowed to read again."""

Send = Callable[[Call], Awaitable[Answered]]


class Parts(NamedTuple):
    """What deliveries are made with. `forms` say how, by the names that endpoints have for them."""

    log: Log
    endpoints: Endpoints
    reader: Reader
    commits: Commits
    deliveries: Deliveries
    send: Send
    forms: Mapping[str, Form]
    refresh: Callable[[str], Awaitable[ChannelRecord]]


class Target(NamedTuple):
    """An endpoint at the beginning of a round: `began` is our own clock when the engine's was `now_ms`.

    `cursor` is where it goes on from since its last activation, `version` that of its progress, 0 for none yet.
    """

    channel: ChannelRecord
    endpoint: Endpoint
    form: Form
    subject: str
    cursor: Position
    progress: Progress
    version: int
    now_ms: int
    began: float

    @property
    def is_off(self) -> bool:
        """Whether nothing is sent: it is not active, or was activated since and has still to go on from there."""
        is_other = self.progress.activation != self.endpoint.activation
        return not self.endpoint.is_active or self.progress.paused == "off" or is_other

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
            return await (self._stand(target) if target.is_off else self._serve(target, ends))
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
        endpoint, cursor, now_ms = found
        progress = parse_progress(document.body) if document else Progress(cursor, activation=endpoint.activation)
        version, form = document.version if document else 0, self._parts.forms[endpoint.form]
        return Target(channel, endpoint, form, name.subject, cursor, progress, version, now_ms, began)

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

    async def _stand(self, target: Target) -> tuple[int, int | None]:
        """End what waits of an endpoint that is off; one that is active again goes on from where it became so."""
        channel, subject, progress, now_ms = target.channel, target.subject, target.progress, target.now_ms
        rows = target.form.rows
        if rows is not None and progress.pending:
            target = await self._make_room(target, rows.closed_at_once)
            await self._write(target, progress, await rows.close(channel, subject))
            return now_ms, now_ms
        if progress.activation == target.endpoint.activation:
            return now_ms, now_ms + IDLE_MS
        letters, done = channel.tag_letters, progress.done
        gap = gap_of(render_ulid(letters, done), render_ulid(letters, target.cursor), now_ms)
        after = restarted(progress, target.cursor, target.endpoint.activation)
        await self._write(target, after, note_rows(subject, progress.logged, [gap] if done < target.cursor else []))
        return now_ms, now_ms

    async def _serve(self, target: Target, ends: float) -> tuple[int, int | None]:
        progress, now_ms, idle_ms = target.progress, target.now_ms, target.now_ms + IDLE_MS
        form, patience = target.form, target.form.patience
        if not target.channel.is_public and not await form.may_read(target.channel, target.endpoint.owner):
            return now_ms, idle_ms
        if progress.paused == "gone" or progress.hold_until_ms > now_ms:
            return now_ms, max(progress.hold_until_ms, now_ms + 1) if progress.paused != "gone" else idle_ms
        behind, ahead, gaps = await self._read(target)
        planned = plan(progress, behind, ahead, now_ms, patience)
        if form.rows is not None and planned.ahead:
            target = await self._write(target, progress, form.rows.begin(target.subject, planned.ahead))
        outcomes = await send_in_order(planned.sends, lambda each: self._attempt(target, each), ends, form.at_once)
        chances = [random.random() for _ in planned.sends]  # noqa: S311
        settled = settle(target.progress, planned, outcomes, now_ms, chances, patience)
        target = await self._record(target, settled, gaps)
        then_ms, room = target.time_ms(), patience.room(target.progress)
        due_ms = target.progress.due_ms(then_ms, has_more=planned.has_more and room != 0)
        return then_ms, min(due_ms if due_ms is not None else idle_ms, idle_ms, target.endpoint.expires_ms)

    async def _read(self, target: Target) -> tuple[Stretch | None, Stretch, list[Row]]:
        progress, channel, types = target.progress, target.channel, target.form.types(target.endpoint)
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
        """One delivery; None when its time was over before it began, or its endpoint is another one by now."""
        endpoint = await self._looked_at(target) if target.form.is_looked_at else target.endpoint
        now_ms = target.time_ms()
        if endpoint is None or now_ms >= endpoint.expires_ms:
            return None
        headers, body = target.form.compose(endpoint, target.channel, waiting.frame, now_ms)
        answer = await self._parts.send(Call("POST", endpoint.url, headers, body, target.form.timeout_s))
        then_ms = target.time_ms()
        # Every receiver that is overloaded says so by one of these; elsewhere the header means something else.
        is_asked = answer.status in (429, 503)
        retry_after_ms = parse_retry_after(answer.headers.get("Retry-After"), then_ms) if is_asked else 0
        outcome = Outcome(answer.status, answer.error, then_ms, answer.duration_ms, retry_after_ms)
        self.sent += outcome.is_taken
        self.failed += not outcome.is_taken
        return outcome

    async def _looked_at(self, target: Target) -> Endpoint | None:
        try:
            found = await self._parts.endpoints.following(target.channel, target.endpoint.id)
        except (Stale, Refusal):
            return None
        is_same = found is not None and found.endpoint.activation == target.endpoint.activation
        return found.endpoint if found is not None and is_same and found.endpoint.is_active else None

    async def _record(self, target: Target, settled: Settled, gaps: Sequence[Row]) -> Target:
        if settled.progress == target.progress and not gaps:
            return target
        target = await self._make_room(target, sum(each.verdict in ENDS for each in settled.attempts))
        facts = Facts(target.subject, target.progress.logged, settled.attempts, gaps)
        return await self._write(target, settled.progress, target.form.note(facts))

    async def _make_room(self, target: Target, ending: int) -> Target:
        """Make room for the rows of so many deliveries that end."""
        rows = target.form.rows
        spare = await rows.spare(target.channel, target.subject, ending) if rows and ending else None
        return target if spare is None else await self._write(target, target.progress, spare)

    async def _write(self, target: Target, progress: Progress, noting: Noting) -> Target:
        """Keep this progress and what is noted beside it; raises `Fenced` where the endpoint went on elsewhere."""
        key, ended = state_of(target.subject), target.form.ended
        is_ended = progress.paused == "off" and target.progress.paused != "off"

        def decide(loaded: Loaded) -> Change:
            found, kept = loaded.documents[key], progress
            version = found.version if found else 0
            if version != target.version:
                is_other = found is None or not target.progress.is_where(parse_progress(found.body))
                if is_other or target.form.rows is not None:
                    raise Fenced
                # Somebody ended a pause meanwhile, so that holds for what waits now.
                kept = resumed(progress, loaded.now_ms)
            kept, documents = noting.write(kept, loaded)
            put = Put(key, version, render_progress(kept), (), target.endpoint.expires_ms + DAY_MS)
            told = ended(target.channel, target.endpoint, kept, loaded.now_ms) if ended and is_ended else ()
            return Change((put, *documents), tuple(told))

        owner, logs = owner_of(target.channel.id), (target.channel.id,) if is_ended else ()
        committed = await self._parts.commits.execute(owner, [key, *noting.keys], decide, logs=logs)
        [put, *_] = committed.change.documents
        assert isinstance(put, Put)  # noqa: S101 - the progress is the first of them
        return target._replace(progress=parse_progress(put.body), version=committed.version)


def state_of(subject: str) -> DocumentKey:
    """The document of an endpoint's progress."""
    return DocumentKey(STATE, subject)
