"""What a calendar's channel may tell of its holds, one event after the other: a sequential model (contract section 8).

The channel is the witness of the order in which concurrent calls were decided. Each event must be allowed where it
stands, and each answer must be explained by something that was told while its call was under way.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from broker.ids import parse_time

Json = dict[str, Any]
ENDS = ("expired", "released", "confirmed")


class Wanted(NamedTuple):
    """A hold as it was asked for; times in ms."""

    start_ms: int
    end_ms: int
    expires_ms: int
    priority: int

    def overlaps(self, other: "Wanted") -> bool:
        return self.start_ms < other.end_ms and other.start_ms < self.end_ms


@dataclass(slots=True)
class Life:
    """One hold in the order of the channel: where it was told of, and where and how it ended."""

    wanted: Wanted
    began: int
    ended: int | None = None
    how: str = ""


@dataclass(slots=True)
class Model:
    """Holds that were told of so far. `wanted` is what each was asked for, known from the answer to its call."""

    wanted: dict[str, Wanted] = field(default_factory=dict)
    lives: dict[str, Life] = field(default_factory=dict)
    seen: int = 0

    def live(self) -> set[str]:
        """The holds that have not ended."""
        return {name for name, life in self.lives.items() if life.ended is None}

    def follow(self, told: list[Json]) -> None:
        """Check what was told since the last time."""
        for place in range(self.seen, len(told)):
            kind, data = told[place]["type"].removeprefix("calendar.hold."), told[place]["data"]
            if kind == "created":
                self._begin(data["subject"], place)
            elif kind in ENDS:
                self._end(data, kind, place, told)
        self.seen = len(told)

    def _begin(self, name: str, place: int) -> None:
        new = self.wanted[name]
        assert name not in self.lives, "told of twice"
        assert not [each for each in self.live() if self.lives[each].wanted.overlaps(new)], "two live holds overlap"
        self.lives[name] = Life(new, place)

    def _end(self, data: Json, kind: str, place: int, told: list[Json]) -> None:
        life = self.lives[data["subject"]]
        assert life.ended is None, f"{kind} after {life.how}"
        life.ended, life.how = place, kind
        at_ms = parse_time(data["occurred_at"])
        if kind == "expired" and data["payload"]["reason"] == "expired":
            assert at_ms >= life.wanted.expires_ms, "expired before its time"
        else:
            assert at_ms < life.wanted.expires_ms, f"{kind} after its time"
        if kind == "expired" and data["payload"]["reason"] == "preempted":
            self._check_bump(life.wanted, place, told)

    def _check_bump(self, beaten: Wanted, place: int, told: list[Json]) -> None:
        """Its conqueror is told of right behind it, or behind others that it beat as well."""
        after = place + 1
        while told[after]["type"] == "calendar.hold.expired":
            after += 1
        assert told[after]["type"] == "calendar.hold.created"
        conqueror = self.wanted[told[after]["data"]["subject"]]
        assert conqueror.overlaps(beaten) and conqueror.priority > beaten.priority

    def explain(self, call: "Call", since: int) -> None:
        """Check the answer to a call that was made after `since` events were told, and before `follow` saw the last."""
        match call.verb, call.status, call.code:
            case ("create", 201, _) | ("confirm" | "release", 200, _):
                told = "created" if call.verb == "create" else f"{call.verb}ed".replace("eed", "ed")
                life = self.lives[call.hold]
                place, how = (life.began, "created") if call.verb == "create" else (life.ended, life.how)
                assert how == told and place is not None and place >= since, (call, life)
            case "create", 409, "hold_conflict":
                self._explain_conflict(call, since)
            case "confirm" | "release", 409, "hold_expired":
                assert self.lives[call.hold].how == "expired", call
            case "confirm" | "release", 409, "not_a_hold":
                assert self.lives[call.hold].how in ("confirmed", "released"), call
            case _:
                raise AssertionError(f"nothing explains {call}")

    def _explain_conflict(self, call: "Call", since: int) -> None:
        assert call.wanted is not None
        life = self.lives[call.hold]
        assert life.wanted.overlaps(call.wanted) and life.wanted.priority >= call.wanted.priority, (call, life)
        assert life.ended is None or life.ended >= since, f"blocked by what had ended: {call} {life}"


class Call(NamedTuple):
    """A call that was answered. `hold` is what it is about: for a conflict, the hold that it names."""

    verb: str
    status: int
    code: str
    hold: str
    wanted: Wanted | None = None


def call_of(verb: str, status: int, body: bytes, hold: str, wanted: Wanted | None) -> Call:
    """A call by its answer."""
    answer = orjson.loads(body)
    if status == 201:
        return Call(verb, status, "", answer["id"], wanted)
    if status == 200:
        return Call(verb, status, "", hold, wanted)
    error = answer["error"]
    return Call(verb, status, error["code"], error["hold"]["id"] if "hold" in error else hold, wanted)
