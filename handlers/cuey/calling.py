"""Making the calls that are due (design section 5, contract sections 4, 5 and 7).

A due timer begins a call by a commit; the call itself is made by a task of its own, so that timers never wait for a
receiver; what came of it is a second commit. A process that dies in between leaves a timer behind, by which another one
makes the call again, with the same id. So many calls are under way at a time, and so many to one host; what is due
beyond that is looked at again a second later.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from broker.change import Change
from broker.errors import Refusal, Unavailable
from broker.storage.commit import Commits
from broker.storage.state import Loaded
from broker.timers import Claimed
from broker.webclient import Answered, Call
from handlers.cuey.cron_decisions import FRESH_IDS
from handlers.cuey.documents import event_key
from handlers.cuey.events import Cause, host_of, team_of
from handlers.cuey.machine import Outcome, RetryConfig, ScheduledWebhook
from handlers.cuey.running import Run, beginning, ending, giving_back
from handlers.cuey.seats import Seats
from handlers.cuey.sending import call_of, outcome_of
from handlers.under_way import UnderWay

RECORD_ATTEMPTS = 8
RECORD_PAUSE_S = 0.5

Send = Callable[[Call], Awaitable[Answered]]

logger = logging.getLogger(__name__)


class CallLimits(NamedTuple):
    """How calls are made. `recover_s`: how long after its deadline a call counts as lost with its process."""

    retry: RetryConfig
    timeout_s: float = 30.0
    recover_s: float = 30.0
    in_flight: int = 256
    per_host: int = 32

    @property
    def wait_ms(self) -> int:
        """How long what came of a call is waited for before it is made again."""
        return round((self.timeout_s + self.recover_s) * 1000)


class Calls:
    """Makes the calls that this process claims."""

    def __init__(self, commits: Commits, send: Send, limits: CallLimits) -> None:
        self._commits = commits
        self._send = send
        self._limits = limits
        self._running = UnderWay("cuey call", "a call was not recorded")
        self._seats = Seats(limits.in_flight, limits.per_host)
        self.succeeded = 0
        self.failed = 0

    async def on_due(self, claimed: Claimed) -> None:
        """Begin a call whose time has come. Raises `Fenced`, `Unavailable`."""
        await self._begin(claimed, "timer")

    async def on_again(self, claimed: Claimed) -> None:
        """Begin a call again of which nobody told what came of it. Raises `Fenced`, `Unavailable`."""
        await self._begin(claimed, "recovery")

    async def drained(self) -> None:
        """Wait for the calls that are under way, or for a while; others make those that are left, at once."""
        await self._running.drained()

    async def _begin(self, claimed: Claimed, cause: Cause) -> None:
        """Begin a call in a seat of its own: its host is known when its document is read, by the decision."""
        tenant, event_id = claimed.timer.name.owner, claimed.timer.name.subject
        ids, key = [str(uuid.uuid4()) for _ in range(FRESH_IDS)], event_key(tenant, event_id)
        seats, begun = list[str](), list[ScheduledWebhook | None]()

        def decide(loaded: Loaded) -> Change:
            self._leave(seats)
            change, webhook = beginning(tenant, event_id, ids, self._limits.wait_ms, cause, loaded)
            if webhook is not None:
                host = host_of(webhook.target.webhook_url)
                self._seats.take(host)
                seats.append(host)
            begun.append(webhook)
            return change

        try:
            await self._commits.execute(tenant, [key], decide, logs=(team_of(tenant),), claimed=claimed)
        except BaseException:
            self._leave(seats)
            raise
        if begun[-1] is not None:
            self._running.start(self._call(Run(tenant, begun[-1])), partial(self._leave, seats))

    def _leave(self, seats: list[str]) -> None:
        while seats:
            self._seats.leave(seats.pop())

    async def _call(self, run: Run) -> None:
        try:
            outcome = outcome_of(await self._send(call_of(run.webhook, self._limits.timeout_s)))
            await self._record(run, outcome)
        except asyncio.CancelledError:
            with suppress(Refusal):
                await self._execute(run, partial(giving_back, run))
            raise

    async def _record(self, run: Run, outcome: Outcome) -> None:
        self.succeeded += outcome.is_success
        self.failed += not outcome.is_success
        decide = partial(ending, run, outcome, self._limits.retry, str(uuid.uuid4()))
        for attempt in range(RECORD_ATTEMPTS):
            try:
                await self._execute(run, decide)
            except Unavailable as refusal:
                if attempt == RECORD_ATTEMPTS - 1:
                    raise
                logger.warning("what came of a call is told later: %s", refusal.message)
                await asyncio.sleep(RECORD_PAUSE_S)
            else:
                return

    async def _execute(self, run: Run, decide: Callable[[Loaded], Change]) -> None:
        key = event_key(run.tenant, run.webhook.id)
        await self._commits.execute(run.tenant, [key], decide, logs=(team_of(run.tenant),))
