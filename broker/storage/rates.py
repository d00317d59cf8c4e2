"""Rate limits counted in the engine, by all processes together. One limit is one script call."""

from hashlib import sha256

from broker.errors import TooMany
from broker.rates import Rate, retry_after_s
from broker.storage.engine import Engine
from broker.storage.keys import rate_key
from broker.storage.scripts import TAKE_RATE


class RateLimits:
    """Takes from limits. A limit is named by what is counted and by whose it is: `events-per-token` of a principal."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def take(self, name: str, whose: str, rate: Rate | None, *, cost: int = 1) -> None:
        """Count `cost` against the limit; raises `TooMany` with the wait, or `Unavailable`. Without a rate: nothing.

        A cost below 0 gives back what was taken.
        """
        if rate is not None and cost:
            await self._ask(name, whose, rate, cost, is_look=False)

    async def look(self, name: str, whose: str, rate: Rate) -> None:
        """Count nothing; raises `TooMany` where there is no room for one, or `Unavailable`."""
        await self._ask(name, whose, rate, 1, is_look=True)

    async def _ask(self, name: str, whose: str, rate: Rate, cost: int, *, is_look: bool) -> None:
        # A digest: principals and addresses are the callers' text, and no business of whoever lists keys.
        digest = sha256(f"{name}\n{whose}".encode()).hexdigest()
        key = rate_key(self._engine.partition(digest), digest)
        words = [self._engine.clock_offset_ms, rate.interval_us, rate.tolerance_us, cost, int(is_look)]
        wait_us = int(await TAKE_RATE(self._engine.client, [key], words))
        if wait_us:
            raise TooMany(f"Too many {name.replace('-', ' ')}", retry_after_s=retry_after_s(wait_us))
