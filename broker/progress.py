"""How far the deliveries to one endpoint have come, and whether anything is sent to it at all (design section 5). Pure.

Everything up to the cursor was delivered, but for the subjects that are parked: of each of these, what lies after its
own place is still to come, first things first. The breaker: after `BREAKER_FAILURES` failures in a row the endpoint is
paused; now and then one event probes it, and the first success ends the pause. A failed probe is no attempt of its
event, so that whatever waits for a receiver that is down waits as long as its log keeps it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, NamedTuple

import orjson

from broker.channels import ChannelRecord
from broker.ids import MAX_SEQ, Position, parse_position, render_time, render_ulid

BREAKER_FAILURES = 20
PROBE_MS = 60_000
MAX_PARKED = 100
"""How many subjects may wait at a time; beyond, everything waits for one of them."""

MAX_PROBE_MS = 3_600_000

Paused = Literal["failing", "gone", "off"]


class Parked(NamedTuple):
    """A subject that waits: for the first of its events after `after`, which was tried `attempts` times in vain."""

    after: Position
    attempts: int
    next_ms: int


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of an endpoint's deliveries. `failures` are those in a row, `logged` how many attempts there were.

    Nothing is sent before `hold_until_ms`. `paused` says why the breaker is open, None when it is closed: "gone" is a
    receiver that answered 410, and ends by `resumed` only; "off" is one that failed too often or too long, where that
    ends deliveries, and `failures` are events given up there. `activation` is the one of the endpoint that this is of.
    `first_failure_ms` is when the first attempt failed since one did not, 0 for never. `pending`, `delivered` and
    `given_up` count deliveries, where a row is kept of each.
    """

    cursor: Position
    parked: Mapping[str, Parked] = field(default_factory=dict)
    failures: int = 0
    hold_until_ms: int = 0
    paused: Paused | None = None
    probes: int = 0
    logged: int = 0
    activation: int = 0
    first_failure_ms: int = 0
    pending: int = 0
    delivered: int = 0
    given_up: int = 0

    @property
    def done(self) -> Position:
        """The place up to which everything was delivered or given up."""
        return min([self.cursor, *(each.after for each in self.parked.values())])

    def is_where(self, other: "Progress") -> bool:
        """Whether nothing was delivered between the two, and nothing set back: at most a pause was ended."""
        places, others = ({key: each.after for key, each in of.parked.items()} for of in (self, other))
        return (self.cursor, self.logged, places) == (other.cursor, other.logged, others)

    def due_ms(self, now_ms: int, *, has_more: bool) -> int | None:
        """When something is to be sent, None when there is nothing: `has_more` lies after the cursor."""
        if self.paused in ("gone", "off"):
            return None
        times = [now_ms] if has_more and len(self.parked) < MAX_PARKED else []
        times += [each.next_ms for each in self.parked.values()]
        return max(min(times), self.hold_until_ms, now_ms) if times else None


def before(position: Position) -> Position:
    """The place right before an event."""
    return Position(position.ms, position.seq - 1) if position.seq else Position(position.ms - 1, MAX_SEQ)


def resumed(progress: Progress, now_ms: int) -> Progress:
    """All that waits is tried now, whatever came of it before."""
    parked = {key: each._replace(next_ms=now_ms) for key, each in progress.parked.items()}
    return replace(progress, parked=parked, failures=0, hold_until_ms=0, paused=None, probes=0)


def replayed(progress: Progress, cursor: Position) -> Progress:
    """Everything after the cursor is delivered, also what was delivered before."""
    return Progress(cursor, logged=progress.logged)


def rewound(progress: Progress, cursor: Position) -> Progress:
    """Everything after the cursor is delivered, and what waits still is too; what is counted is counted on."""
    return replace(progress, cursor=min(cursor, progress.done), parked={}, hold_until_ms=0)


def restarted(progress: Progress, cursor: Position, activation: int) -> Progress:
    """An endpoint that is active again goes on from there, whatever waited."""
    off = replace(progress, parked={}, failures=0, hold_until_ms=0, paused=None, probes=0, first_failure_ms=0)
    return replace(off, cursor=cursor, activation=activation)


def succeeded(progress: Progress, now_ms: int) -> Progress:
    """The receiver took something: if it was paused, it is so no longer."""
    return resumed(progress, now_ms) if progress.paused else replace(progress, failures=0, first_failure_ms=0)


def worn(progress: Progress, now_ms: int, *, retry_after_ms: int, is_last: bool) -> Progress:
    """The receiver took nothing, where only events given up count as failures and there are no pauses."""
    return replace(
        progress,
        failures=progress.failures + is_last,
        first_failure_ms=progress.first_failure_ms or now_ms,
        hold_until_ms=max(progress.hold_until_ms, now_ms + retry_after_ms if retry_after_ms else 0),
    )


def failed(progress: Progress, now_ms: int, *, retry_after_ms: int, is_gone: bool) -> Progress:
    """The receiver took nothing; perhaps it says when to come back, or that it never will."""
    failures = progress.failures + 1
    hold_ms = max(progress.hold_until_ms, now_ms + retry_after_ms) if retry_after_ms else progress.hold_until_ms
    after = replace(progress, failures=failures, hold_until_ms=hold_ms)
    if is_gone:
        return replace(after, paused="gone")
    # Several of a round fail together: that is one reason to wait longer, not many.
    if failures < BREAKER_FAILURES or (progress.paused and now_ms < progress.hold_until_ms):
        return after
    hold_ms = max(hold_ms, now_ms + min(MAX_PROBE_MS, PROBE_MS << min(progress.probes, 10)))
    parked = {key: each._replace(next_ms=hold_ms) for key, each in progress.parked.items()}
    return replace(after, paused="failing", probes=progress.probes + 1, hold_until_ms=hold_ms, parked=parked)


def render_progress(progress: Progress) -> bytes:
    """The document that is kept."""
    parked = {key: [each.after.stream, each.attempts, each.next_ms] for key, each in progress.parked.items()}
    return orjson.dumps({**asdict(progress), "cursor": progress.cursor.stream, "parked": parked})


def parse_progress(body: bytes) -> Progress:
    """What a kept document says; trusts its input."""
    fields = orjson.loads(body)
    parked = {key: Parked(parse_position(after), *rest) for key, (after, *rest) in fields["parked"].items()}
    return Progress(**{**fields, "cursor": parse_position(fields["cursor"]), "parked": parked})


def show_progress(channel: ChannelRecord, progress: Progress, now_ms: int) -> dict[str, Any]:
    """How an endpoint's owner sees it."""
    return {
        "status": "active" if progress.paused is None else f"paused_{progress.paused}",
        "cursor": render_ulid(channel.tag_letters, progress.done),
        "failures": progress.failures,
        "waiting_subjects": len(progress.parked),
        "resumes_at": render_time(progress.hold_until_ms) if progress.hold_until_ms > now_ms else None,
    }
