"""Tasks that run beside: loops for as long as the app lives, and how a task is ended for certain."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack

CANCEL_AGAIN_S = 0.2

logger = logging.getLogger(__name__)


def run_beside(stack: AsyncExitStack, **loops: Coroutine[None, None, None]) -> None:
    """Run these until the stack is closed; one that ends before is a defect, which is logged."""
    for name, loop in loops.items():
        task = asyncio.create_task(loop, name=name)
        task.add_done_callback(_report_end)
        stack.push_async_callback(cancelled, task)


async def cancelled(*tasks: "asyncio.Task[None]") -> None:
    """Cancel these, and return when they have ended; what they raise is not looked at."""
    # More than once: redis-py loses a cancellation that meets one of its read timeouts.
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=CANCEL_AGAIN_S)


def _report_end(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.critical("%s ended by a defect", task.get_name(), exc_info=error)
