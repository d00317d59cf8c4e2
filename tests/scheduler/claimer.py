"""A process that claims a due timer, says so, and commits when told to: `python -m tests.scheduler.claimer URL`."""

import asyncio
import sys

from broker.storage.commit import Fenced
from broker.timers import Claimed
from tests.clockwork import QUICK, raise_counter, worker
from tests.stores import open_store


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def main(url: str) -> None:
    async with open_store(url) as store:

        async def on_timer(claimed: Claimed) -> None:
            say("claimed")
            await asyncio.to_thread(sys.stdin.readline)
            try:
                await raise_counter(store, claimed)
            except Fenced:
                say("fenced")
                raise
            say("committed")

        async with worker(store, QUICK, on_timer=on_timer):
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
