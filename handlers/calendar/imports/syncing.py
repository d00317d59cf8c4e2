"""Polling what is subscribed to (contract 11.2, decision 0020).

A due timer begins a poll by a commit; the poll itself is a task of its own, so that timers never wait for other
people's servers; pages of what changed are commits, and what came of it is the last. A process that dies in between
leaves a timer behind, by which another one begins again: it finds what was merged already. So many polls are under way
at a time, and so many feeds are read; what is due beyond that is looked at again a second later.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from broker.change import Change, DocumentKey
from broker.channels import DAY_MS
from broker.errors import Refusal, TooLarge, Unavailable
from broker.storage.commit import Commits, Decide
from broker.storage.engine import Engine
from broker.storage.state import Loaded, Reader
from broker.timers import Claimed
from broker.webclient import Answered, Call
from handlers.broker import IcalSite
from handlers.calendar.calendar_event import CalendarEvent
from handlers.calendar.calendar_event import parse_kept as parse_event
from handlers.calendar.documents import EVENT, calendar_key, event_key, imported_index
from handlers.calendar.events import channel_of, org_of
from handlers.calendar.imports import runs
from handlers.calendar.imports.documents import subscription_key
from handlers.calendar.imports.fetching import Failed, Feed, Unchanged, call_of, read_answer
from handlers.calendar.imports.merging import MOST_STEPS, Step, merging, plan
from handlers.calendar.imports.occurrence import Span
from handlers.calendar.imports.reading import PATIENCE, ReadLimits, read_feed
from handlers.calendar.imports.runs import Pace, Run, Superseded
from handlers.calendar.imports.subscription import Seen, seen_before
from handlers.under_way import UnderWay

BACK_MS = 30 * DAY_MS
AHEAD_MS = 366 * DAY_MS
MARGIN_S = 30.0

JITTER = (0.9, 1.1)
PAGE = 500
RECORD_ATTEMPTS = 8
RECORD_PAUSE_S = 0.5

Send = Callable[[Call], Awaitable[Answered]]

logger = logging.getLogger(__name__)


class Parts(NamedTuple):
    """What polls are made with."""

    engine: Engine
    reader: Reader
    commits: Commits
    send: Send


def wait_of(site: IcalSite) -> float:
    """After so many seconds a poll counts as lost with its process: all that it may wait for, twice over."""
    return site.timeout_s + site.read_cpu_s * PATIENCE * 2 + MARGIN_S


class Syncs:
    """Makes the polls that this process claims; after `wait_s` one that told nothing is begun again."""

    def __init__(self, parts: Parts, site: IcalSite, wait_s: float) -> None:
        self._parts = parts
        self._site = site
        self._wait_ms = round(wait_s * 1000)
        self._running = UnderWay("ical poll", "a poll of a feed was not recorded")
        self._beginning = 0
        self._reading = asyncio.Semaphore(site.reads_at_once)
        self._limits = ReadLimits(site.read_cpu_s, site.read_memory_bytes)
        self.unchanged = 0
        self.merged = 0
        self.failed = 0

    async def on_due(self, claimed: Claimed) -> None:
        """Begin a poll whose time has come. Raises `Fenced`, `Unavailable`."""
        # Those that are being begun count: timers of one moment are handled at once.
        if len(self._running) + self._beginning >= self._site.polls_at_once:
            raise Unavailable("as many feeds are polled as may be", retry_after_s=1)
        self._beginning += 1
        try:
            if (run := await self._begun(claimed)) is not None:
                self._running.start(self._poll(run))
        finally:
            self._beginning -= 1

    async def drained(self) -> None:
        """Wait for the polls that are under way, or for a while; others make those that are left, at once."""
        await self._running.drained()

    async def _begun(self, claimed: Claimed) -> Run | None:
        """The poll that the commit began; None where there is nothing to poll."""
        tenant, subscription_id = claimed.timer.name.owner, claimed.timer.name.subject
        begun: list[Run | None] = []

        def decide(loaded: Loaded) -> Change:
            change, run = runs.beginning(tenant, subscription_id, self._wait_ms, loaded)
            begun.append(run)
            return change

        keys = [subscription_key(tenant, subscription_id)]
        await self._parts.commits.execute(tenant, keys, decide, claimed=claimed)
        return begun[-1]

    async def _poll(self, run: Run) -> None:
        try:
            await self._tell(run, await self._sync(run))
        except Superseded:
            logger.debug("a poll of a feed gave way to another")
        except asyncio.CancelledError:
            with suppress(Refusal, Superseded):
                await self._execute(run, [], partial(runs.giving_back, run))
            raise

    async def _sync(self, run: Run) -> Seen | Failed:
        """Fetch, read and merge; what the feed is known by from now on, or why it is not there."""
        subscription, site = run.subscription, self._site
        seen = seen_before(subscription, run.timezone, run.begun_ms)
        call = call_of(subscription.url, seen, timeout_s=site.timeout_s, most_bytes=site.feed_bytes)
        match read_answer(await self._parts.send(call), seen, site.feed_bytes):
            case Unchanged(known):
                self.unchanged += 1
                return known
            case Feed() as feed:
                return await self._merge(run, feed)
            case Failed() as failed:
                return failed

    async def _merge(self, run: Run, feed: Feed) -> Seen | Failed:
        from_ms = run.begun_ms - BACK_MS
        span = Span(from_ms, run.begun_ms + AHEAD_MS, run.timezone, self._site.feed_events)
        async with self._reading:
            expanded = await read_feed(feed.body, span, self._limits)
        if isinstance(expanded, Failed):
            return expanded
        steps = plan(run.subscription.id, expanded.occurrences, await self._there(run, from_ms))
        for start in range(0, len(steps), MOST_STEPS):
            await self._page(run, steps[start : start + MOST_STEPS])
        self.merged += 1
        return Seen(feed.etag, feed.modified, feed.digest, run.begun_ms, run.timezone, expanded.left_out)

    async def _there(self, run: Run, from_ms: int) -> dict[str, CalendarEvent]:
        """The events of the subscription that end within what is looked at."""
        found: dict[str, CalendarEvent] = {}
        place = (EVENT, imported_index(run.tenant, run.subscription.id))
        partition, skip, total = self._parts.engine.partition(run.tenant), 0, 1
        while skip < total:
            page = await self._parts.reader.page(partition, *place, lowest=f"({from_ms}", skip=skip, limit=PAGE)
            events = [parse_event(each.body) for _, each in page.documents]
            found |= {each.id: each for each in events}
            skip, total = skip + PAGE, page.total
        return found

    async def _page(self, run: Run, steps: Sequence[Step]) -> None:
        """Commit a page; halves of it where much is due of its events, so that it would be too large."""
        keys = [event_key(run.tenant, each.event_id) for each in steps]
        try:
            await self._execute(run, keys, partial(merging, run, steps))
        except TooLarge:
            if len(steps) == 1:
                raise
            middle = len(steps) // 2
            await self._page(run, steps[:middle])
            await self._page(run, steps[middle:])

    async def _tell(self, run: Run, outcome: Seen | Failed) -> None:
        pace = Pace(round(self._site.poll_s * 1000), random.uniform(*JITTER))  # noqa: S311 - spreads polls
        if isinstance(outcome, Failed):
            self.failed += 1
            decide: Decide = partial(runs.failing, run, outcome.error, pace)
        else:
            decide = partial(runs.succeeding, run, outcome, pace)
        await self._execute(run, [], decide)

    async def _execute(self, run: Run, keys: Sequence[DocumentKey], decide: Decide) -> None:
        tenant, subscription = run.tenant, run.subscription
        own = [subscription_key(tenant, subscription.id), calendar_key(tenant, subscription.calendar_id)]
        logs = (channel_of(tenant, subscription.calendar_id), org_of(tenant))
        for attempt in range(RECORD_ATTEMPTS):
            try:
                await self._parts.commits.execute(tenant, [*own, *keys], decide, logs=logs)
            except Unavailable as refusal:
                if attempt == RECORD_ATTEMPTS - 1:
                    raise
                logger.warning("a poll of a feed waits: %s", refusal.message)
                await asyncio.sleep(RECORD_PAUSE_S)
            else:
                return
