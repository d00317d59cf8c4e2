"""A process that polls feeds, says where it is, and stands still there until it is told a line.

It is run as a module with the URL of the engine and a place. It says `superseded` when it may not write.

Places: `claim` is between the claim of a due timer and the commit that begins the poll, `fetch` between that and the
question for the feed, `page` between the first page of a merge and the second, `tell` between the last page and the
commit that ends the poll. At other places it goes on.
"""

import asyncio
import sys
from functools import partial
from typing import Any

from broker.scheduler import SchedulerLimits
from broker.storage.timers import Timers
from broker.webclient import Answered, Call, open_client
from handlers.broker import IcalSite
from handlers.calendar.imports import runs
from handlers.calendar.imports.documents import POLL_TIMER
from handlers.calendar.imports.merging import merging
from handlers.calendar.imports.syncing import Parts, Syncs
from tests.clockwork import worker_of
from tests.stores import Store, open_store
from tests.webhooks.networks import LOOPBACK

SCHEDULER = SchedulerLimits(lease_s=0.5, look_s=0.1)
LOST_S = 60.0
"""So late another one begins again what this process began; tests do not wait for it."""


async def stand(here: str, place: str) -> None:
    """Say where we are, and go no further, if this is the place."""
    if here == place:
        say(here)
        await asyncio.to_thread(sys.stdin.readline)


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


class Standing:
    """Commits that stand still at a place."""

    def __init__(self, store: Store, place: str) -> None:
        self._store = store
        self._place = place
        self._pages = 0

    async def execute(self, owner: str, keys: Any, decide: Any, **options: Any) -> Any:
        if options.get("claimed") is not None:
            await stand("claim", self._place)
        what = decide.func if isinstance(decide, partial) else None
        if what is merging:
            self._pages += 1
            if self._pages == 2:
                await stand("page", self._place)
        if what is runs.succeeding:
            await stand("tell", self._place)
        try:
            return await self._store.commits.execute(owner, keys, decide, **options)
        except runs.Superseded:
            say("superseded")
            raise


async def main(url: str, place: str) -> None:
    async with open_store(url) as store, open_client(LOOPBACK, user_agent="poller") as client:

        async def send(call: Call) -> Answered:
            await stand("fetch", place)
            return await client.send(call)

        parts = Parts(store.engine, store.reader, Standing(store, place), send)  # type: ignore[arg-type]
        syncs = Syncs(parts, IcalSite(), LOST_S)
        async with worker_of(store, Timers(store.engine), {POLL_TIMER: syncs.on_due}, SCHEDULER):
            say("ready")
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
