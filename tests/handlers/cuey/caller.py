"""A process that makes calls, says where it is, and stands still there: `python -m tests.handlers.cuey.caller`.

Arguments: the URL of the engine, and a place.

Places: `claim` is between the claim of a due timer and the commit that begins the call, `send` between that and the
call, `record` between the answer of the receiver and the commit that records it, `recorded` right after that. At other
places it goes on. SIGTERM has it stop in order.
"""

import asyncio
import signal
import sys
from typing import Any

from broker.scheduler import SchedulerLimits
from broker.storage.timers import Timers
from broker.webclient import Answered, Call, open_client
from handlers.cuey.calling import CallLimits, Calls
from handlers.cuey.documents import AGAIN, TIMER
from handlers.cuey.machine import RetryConfig
from tests.clockwork import worker_of
from tests.stores import Store, open_store
from tests.webhooks.networks import LOOPBACK

LEASE_S = 0.5
LIMITS = CallLimits(RetryConfig(3, 100, "linear"), timeout_s=2.0, recover_s=0.5)
SCHEDULER = SchedulerLimits(lease_s=LEASE_S, look_s=0.1)


async def stand(here: str, place: str) -> None:
    """Say where we are, and go no further, if this is the place."""
    if here == place:
        sys.stdout.write(f"{here}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


class Standing:
    """Commits that stand still before the one that begins a call, or after the one that records it."""

    def __init__(self, store: Store, place: str) -> None:
        self._store = store
        self._place = place

    async def execute(self, *args: Any, claimed: Any = None, **options: Any) -> Any:
        if claimed is not None:
            await stand("claim", self._place)
        committed = await self._store.commits.execute(*args, claimed=claimed, **options)
        if claimed is None:
            await stand("recorded", self._place)
        return committed


async def main(url: str, place: str) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with open_store(url) as store, open_client(LOOPBACK, user_agent="caller") as client:

        async def send(call: Call) -> Answered:
            await stand("send", place)
            answer = await client.send(call)
            await stand("record", place)
            return answer

        calls = Calls(Standing(store, place), send, LIMITS)  # type: ignore[arg-type]
        async with worker_of(store, Timers(store.engine), {TIMER: calls.on_due, AGAIN: calls.on_again}, SCHEDULER):
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await stopped.wait()
        await calls.drained()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
