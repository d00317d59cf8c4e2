"""Which events may be sent to an endpoint now, and what follows from how that went (design section 5). Pure.

An event's order keys are what it is about: the string `subject` in its data, or the channel where it has none, and
beside it what its data lists as `order_with`, for what one step did to several subjects in an order that counts. It may
be sent when it is the first undelivered event of each of its keys. One that fails parks all its keys; what has a parked
key waits and is read from the log again; everything else goes on. When as many keys are parked as may, the cursor
stops. So order is kept per subject, and one subject that fails holds up no other.

A round reads two stretches of the log: `behind` the cursor for the parked keys that are due, and `ahead` of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeGuard

import orjson

from broker.events import Frame
from broker.ids import ORIGIN, Position
from broker.patience import Failure, Patience
from broker.progress import MAX_PARKED, Parked, Progress, before, succeeded
from broker.retry import pause_ms

BORNE = Patience()
"""With pauses and probes."""

MAX_SUBJECT = 256
MAX_ORDER_WITH = 4
CHANNEL = ""


class Stretch(NamedTuple):
    """Events of a stretch of the log up to and with `end`; `is_last` when nothing more of it is left to be read."""

    frames: Sequence[Frame]
    end: Position
    is_last: bool


class Waiting(NamedTuple):
    """An undelivered event with its keys and how often it was tried; `is_sent` when it is this round's to send."""

    frame: Frame
    keys: tuple[str, ...]
    attempts: int
    is_sent: bool


class Round(NamedTuple):
    """The undelivered events that were read, in the order of the log, and how far the two stretches count."""

    behind: Sequence[Waiting]
    ahead: Sequence[Waiting]
    behind_end: Position | None
    is_behind_whole: bool
    ahead_end: Position
    has_more: bool

    @property
    def sends(self) -> list[Waiting]:
        """What to send; of two with a common key the second one only after the first was taken."""
        return [each for each in (*self.behind, *self.ahead) if each.is_sent]


class Outcome(NamedTuple):
    """What came of one attempt. `status` is None where there was no answer, and `error` says why."""

    status: int | None
    error: str | None
    at_ms: int
    duration_ms: int
    retry_after_ms: int = 0

    @property
    def is_taken(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300


class Attempt(NamedTuple):
    """One attempt for the delivery log: `verdict` is delivered, retrying, dead or probe."""

    event_id: str
    number: int
    verdict: str
    outcome: Outcome
    next_ms: int | None


class Settled(NamedTuple):
    """What follows from a round."""

    progress: Progress
    attempts: list[Attempt]


def order_keys(frame: Frame) -> tuple[str, ...]:
    """What the event is about, as far as order goes."""
    data = orjson.loads(frame.wire).get("data")
    subject = data.get("subject") if isinstance(data, dict) else None
    own = subject if isinstance(subject, str) and len(subject) <= MAX_SUBJECT else CHANNEL
    others = data.get("order_with") if isinstance(data, dict) else None
    more = [each for each in others if isinstance(each, str) and len(each) <= MAX_SUBJECT] if _few(others) else []
    return tuple(dict.fromkeys((own, *more)))


def _few(others: object) -> TypeGuard[list[object]]:
    return isinstance(others, list) and len(others) <= MAX_ORDER_WITH


def due_after(progress: Progress, now_ms: int) -> Position | None:
    """From where the parked events that are due are to be read, None when none is."""
    places = [each.after for each in progress.parked.values() if each.next_ms <= now_ms]
    return min(places, default=None)


def plan(progress: Progress, behind: Stretch | None, ahead: Stretch, now_ms: int, patience: Patience = BORNE) -> Round:
    """What to send of what was read. A paused endpoint is probed with one event."""
    most = patience.most(progress, now_ms)
    waiting = _behind(progress, behind.frames if behind else (), now_ms, most)
    most -= sum(each.is_sent for each in waiting)
    new, stop = _ahead(progress, ahead.frames, most, patience.room(progress))
    return Round(
        waiting,
        new,
        behind.end if behind else None,
        behind is not None and behind.is_last,
        ahead.end if stop is None else max(progress.cursor, before(stop)),
        stop is not None or not ahead.is_last,
    )


def settle(
    progress: Progress,
    planned: Round,
    outcomes: Mapping[Position, Outcome],
    now_ms: int,
    chances: Iterable[float],
    patience: Patience = BORNE,
) -> Settled:
    """The progress after a round that was planned at `now_ms` and in which these were tried.

    `chances` are random numbers for jitter.
    """
    after, attempts, retries = progress, [], {}
    for each, chance in zip(planned.sends, chances, strict=False):
        outcome = outcomes.get(each.frame.position)
        if outcome is None:
            continue
        after, attempt, retry = _judge(after, each, outcome, chance, now_ms, patience)
        attempts.append(attempt)
        if retry is not None:
            retries[each.frame.position] = retry
    done = {each.frame.position for each in planned.sends if each.frame.position in outcomes} - retries.keys()
    parked = _parked(progress, planned, done, retries, now_ms)
    if after.paused:
        parked = {key: each._replace(next_ms=max(each.next_ms, after.hold_until_ms)) for key, each in parked.items()}
    elif progress.paused:
        # It takes again: nothing waits any longer than it must.
        parked = {key: each._replace(next_ms=min(each.next_ms, now_ms)) for key, each in parked.items()}
    after = replace(after, cursor=planned.ahead_end, parked=parked, logged=progress.logged + len(attempts))
    return Settled(after, attempts)


def _behind(progress: Progress, frames: Sequence[Frame], now_ms: int, most: int) -> list[Waiting]:
    waiting: list[Waiting] = []
    held = {key for key, each in progress.parked.items() if each.next_ms > now_ms}
    seen: set[str] = set()
    for frame in frames:
        keys = order_keys(frame)
        if not any(key in progress.parked and progress.parked[key].after < frame.position for key in keys):
            continue
        is_sent = most > 0 and held.isdisjoint(keys)
        tried = [progress.parked[key].attempts for key in keys if key in progress.parked and key not in seen]
        waiting.append(Waiting(frame, keys, max(tried, default=0), is_sent))
        seen.update(keys)
        most -= is_sent
        if not is_sent:
            held.update(keys)
    return waiting


def _ahead(
    progress: Progress, frames: Sequence[Frame], most: int, room: int | None
) -> tuple[list[Waiting], Position | None]:
    """The new events that count, and the first one that does not yet."""
    waiting: list[Waiting] = []
    held, keyed = set(progress.parked), set(progress.parked)
    for frame in frames:
        keys = order_keys(frame)
        is_sent = held.isdisjoint(keys)
        if room is not None and len(waiting) >= room:
            return waiting, frame.position
        # As if all of them failed: then too no more may be parked than may.
        if (is_sent and most <= 0) or len(keyed | set(keys)) > MAX_PARKED:
            return waiting, frame.position
        waiting.append(Waiting(frame, keys, 0, is_sent))
        keyed.update(keys)
        most -= is_sent
        if not is_sent:
            held.update(keys)
    return waiting, None


def _judge(
    progress: Progress, waiting: Waiting, outcome: Outcome, chance: float, now_ms: int, patience: Patience
) -> tuple[Progress, Attempt, tuple[int, int] | None]:
    """The progress, the attempt for the log, and for one that is to be tried again how often it was and when."""
    event_id, number = waiting.frame.id, waiting.attempts + 1
    if outcome.is_taken:
        return succeeded(progress, outcome.at_ms), Attempt(event_id, number, "delivered", outcome, None), None
    pause = pause_ms(number, chance, patience.schedule_s)
    failure = Failure(outcome.at_ms, outcome.retry_after_ms, outcome.status == 410, pause is None)
    after = patience.failed(progress, failure, now_ms)
    if (progress.paused or after.paused) and after.paused != "off":
        next_ms = after.hold_until_ms
        return after, Attempt(event_id, number, "probe", outcome, next_ms or None), (waiting.attempts, next_ms)
    if pause is None:
        return after, Attempt(event_id, number, "dead", outcome, None), None
    next_ms = outcome.at_ms + max(pause, outcome.retry_after_ms)
    return after, Attempt(event_id, number, "retrying", outcome, next_ms), (number, next_ms)


def _parked(
    progress: Progress,
    planned: Round,
    done: set[Position],
    retries: Mapping[Position, tuple[int, int]],
    now_ms: int,
) -> dict[str, Parked]:
    left = [each for each in (*planned.behind, *planned.ahead) if each.frame.position not in done]
    parked = {}
    for key in (*progress.parked, *(key for each in planned.ahead for key in each.keys)):
        known = progress.parked.get(key)
        if known is not None and (known.next_ms > now_ms or planned.behind_end is None):
            parked[key] = known
            continue
        own = [each for each in left if key in each.keys]
        # What lies between the two stretches was not read yet.
        end = planned.behind_end or known.after if known is not None else ORIGIN
        if known is not None and not planned.is_behind_whole and not any(each.frame.position <= end for each in own):
            parked[key] = Parked(max(known.after, end), 0, now_ms)
        elif own:
            attempts, next_ms = retries.get(own[0].frame.position, (own[0].attempts, now_ms))
            parked[key] = Parked(before(own[0].frame.position), attempts, max(next_ms, _held_ms(own[0], progress)))
    return parked


def _held_ms(waiting: Waiting, progress: Progress) -> int:
    """When the last of the keys that hold an event up is due."""
    return max((progress.parked[key].next_ms for key in waiting.keys if key in progress.parked), default=0)
