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
        """Count `cost` against the limit; raises `TooMany` with the wait, or `Unavailable`. Without a rate: nothing."""
        if rate is None or not cost:
            return
        # A digest: principals and addresses are the callers' text, and no business of whoever lists keys.
        digest = sha256(f"{name}\n{whose}".encode()).hexdigest()
        key = rate_key(self._engine.partition(digest), digest)
        words = [self._engine.clock_offset_ms, rate.interval_us, rate.tolerance_us, cost]
        wait_us = int(await TAKE_RATE(self._engine.client, [key], words))
        if wait_us:
            raise TooMany(f"Too many {name.replace('-', ' ')}", retry_after_s=retry_after_s(wait_us))
