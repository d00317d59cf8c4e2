"""Timers: what is to be done, for whom, and from when on (design section 5). Pure.

A timer is `kind`/`owner`/`subject`: the kind says whose `on_timer` it is, the owner where it lives, the subject what it
is about. It carries nothing else: what it leads to is decided when it fires, from the documents of that moment. Arming
one that is armed moves it.
"""

from typing import Any, NamedTuple

from broker.ids import render_time

MS_NS = 1_000_000


class TimerName(NamedTuple):
    """Which timer: there is one of a name. Neither kind nor owner has a slash; the subject may."""

    kind: str
    owner: str
    subject: str


class Timer(NamedTuple):
    """A timer that is armed; it fires at `due_ms` (Unix time by the engine's clock) or later, never before."""

    name: TimerName
    due_ms: int


class Claimed(NamedTuple):
    """A due timer that this process may act on until its lease ends: by a commit with this fence and no other.

    `tries` is how often it was claimed before, by anybody, without a commit that ended it.
    """

    timer: Timer
    fence: int
    tries: int


class Pending(NamedTuple):
    """A timer as operators see it; `is_claimed` while somebody acts on it."""

    timer: Timer
    is_claimed: bool
    tries: int


def render_pending(pending: Pending) -> dict[str, Any]:
    """A timer as operators see it."""
    name, due_ms = pending.timer
    return {
        "kind": name.kind,
        "owner": name.owner,
        "subject": name.subject,
        "due_at": render_time(due_ms),
        "claimed": pending.is_claimed,
        "tries": pending.tries,
    }


def due_ms(time_ns: int) -> int:
    """The first whole millisecond at which a time in nanoseconds has come: rounded up, so that nothing is early."""
    return -(-time_ns // MS_NS)


def render_member(name: TimerName) -> str:
    """How the engine spells it."""
    return "/".join(name)


def parse_member(member: bytes) -> TimerName:
    """The name in the engine's spelling; trusts its input."""
    return TimerName(*member.decode().split("/", 2))
