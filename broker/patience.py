"""How long a receiver that fails is borne with: when an event is tried again, and what many failures lead to. Pure.

Two kinds. Without `end_ms` an endpoint is paused after many failed attempts, and probed now and then until it takes
something. With it, deliveries end (`paused` is "off") after as many events given up in a row, or after `end_ms` in
which nothing was taken; only its owner has them go on.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from broker.progress import BREAKER_FAILURES, Progress, failed, worn
from broker.retry import SCHEDULE_S

MAX_SENDS = 16
"""How many events a round sends: what is sent again when a process dies before it could note it."""


class Failure(NamedTuple):
    """An attempt that failed: what the receiver said of coming back, and whether the event is given up."""

    at_ms: int
    retry_after_ms: int
    is_gone: bool
    is_last: bool


class Patience(NamedTuple):
    """`schedule_s` are the pauses after each failed attempt of an event; `most_pending` is how many may wait, of those
    of which a row is kept before they are sent."""

    schedule_s: Sequence[float] = SCHEDULE_S
    end_ms: int | None = None
    most_pending: int | None = None

    def most(self, progress: Progress, now_ms: int) -> int:
        """How many events a round may send: never more than those after which it may be over."""
        if progress.paused:
            return 1
        if self.end_ms is None:
            return MAX_SENDS
        return (
            1 if self._is_too_long(progress, now_ms) else max(1, min(MAX_SENDS, BREAKER_FAILURES - progress.failures))
        )

    def room(self, progress: Progress) -> int | None:
        """How many more events may be read, None for any number."""
        # Where nothing is parked, all that is pending is still to be read: after a crash, or a replay.
        if self.most_pending is None or not progress.parked:
            return self.most_pending
        return max(0, self.most_pending - progress.pending)

    def failed(self, progress: Progress, failure: Failure, now_ms: int) -> Progress:
        """What follows from a failure in a round that began at `now_ms`."""
        if self.end_ms is None:
            retry_after_ms, is_gone = failure.retry_after_ms, failure.is_gone
            return failed(progress, failure.at_ms, retry_after_ms=retry_after_ms, is_gone=is_gone)
        after = worn(progress, failure.at_ms, retry_after_ms=failure.retry_after_ms, is_last=failure.is_last)
        is_over = after.failures >= BREAKER_FAILURES or self._is_too_long(after, now_ms)
        return replace(after, paused="off") if is_over else after

    def _is_too_long(self, progress: Progress, now_ms: int) -> bool:
        since_ms = progress.first_failure_ms
        return self.end_ms is not None and since_ms > 0 and now_ms - since_ms >= self.end_ms
