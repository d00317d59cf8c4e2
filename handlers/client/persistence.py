"""Trying again until there is an answer, within a time: for calls that may be sent twice."""

import random
import time
from collections.abc import Callable
from typing import Any

from handlers.client.api import Api, Call, Refused, Unreachable
from handlers.client.backoff import pauses

Say = Callable[[str], None]
"""Takes one line for the person at the terminal."""


def persist(api: Api, call: Call, *, patience_s: float, say: Say) -> Any:
    """The answer of the call, tried again with growing pauses while the server is away or asks to come back later.

    Raises `Refused` at once where trying again is of no use, and the last failure when `patience_s` is over.
    """
    until = time.monotonic() + patience_s
    has_said = False
    # Not a secret: only that not everybody comes back at once.
    for pause_s in pauses(random.random):
        try:
            return api.call(call)
        except (Refused, Unreachable) as failure:
            wait_s = max(pause_s, _asked_for(failure))
            if time.monotonic() + wait_s > until:
                raise
            if not has_said:
                say(f"{failure}; trying again")
                has_said = True
        time.sleep(wait_s)
    raise AssertionError("the pauses never end")


def _asked_for(failure: Refused | Unreachable) -> float:
    """The seconds that the server asked for; raises the failure where trying again is of no use."""
    if not failure.is_passing:
        raise failure
    return (failure.retry_after_s or 0.0) if isinstance(failure, Refused) else 0.0
