"""What a process looks after by asking the engine again and again: trusted keys, API keys."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from broker.errors import Refusal

CHECK_S = 0.5

logger = logging.getLogger(__name__)


async def look_forever(look: Callable[[], Awaitable[None]], failed: str) -> None:
    """Look every half second, until cancelled; no defect ends it, as what was revoked would live on.

    `failed` is logged where a look did not succeed, in words that end as "could not be read".
    """
    while True:
        try:
            await look()
        except Refusal as refusal:
            logger.warning("%s: %s", failed, refusal.message)
        except Exception:
            logger.exception(failed)
        await asyncio.sleep(CHECK_S)
