"""What a socket's messages say of each subscription, held against the logs: exactly what lies after its cursor.

A span is one subscription from its `subscribed` to its end. The truth is every acknowledged publish.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.multiplex_client import name_of

Json = dict[str, Any]


@dataclass
class Truth:
    """All events ever acknowledged, by the tag of their log, and those deleted one by one."""

    types: dict[str, str | None] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)

    def after(self, cursor: str, until: str | None, types: frozenset[str] | None) -> list[str]:
        """The ids of this cursor's log after it, up to and with `until`, of these types."""
        return sorted(
            each
            for each, kind in self.types.items()
            if tag_of(each) == tag_of(cursor)
            and each > cursor
            and (until is None or each <= until)
            and (types is None or kind in types)
        )


@dataclass
class Span:
    """One subscription as its socket saw it. `end` is the cursor that was told at its end."""

    channel: str
    cursor: str
    types: frozenset[str] | None
    ids: list[str] = field(default_factory=list)
    position: str = ""
    end: str | None = None
    is_open: bool = True

    def check(self, truth: Truth) -> None:
        """Nothing skipped, doubled, reordered or foreign; up to `end` where that is known, else a beginning of it."""
        assert self.ids == sorted(set(self.ids)), "out of order or doubled"
        until = self.end if self.end is not None else (self.ids[-1] if self.ids else self.cursor)
        expected = truth.after(self.cursor, until, self.types)
        missing = set(expected) - set(self.ids)
        assert missing <= truth.deleted, f"skipped on {self.channel}"
        assert set(self.ids) <= set(expected), f"not of this subscription to {self.channel}"


def tag_of(ulid: str) -> str:
    """The letters of the log that gave out an id."""
    return ulid[10:19]


def read_spans(messages: list[Json], asked: dict[int, Json]) -> list[Span]:
    """The spans of one socket; `asked` are its subscribe commands by ref. Fails on an event of no open span."""
    spans: list[Span] = []
    current: dict[str, Span] = {}

    def end(channel: str, cursor: str | None) -> None:
        span = current.pop(channel)
        span.is_open, span.end = False, cursor

    for message in messages:
        match name_of(message):
            case "event":
                span = current[message["channel_id"]]
                assert message["id"] > span.position
                span.ids.append(message["id"])
            case "subscribed":
                said, command = message["subscribed"], asked[message["ref"]]
                if said["channel"] in current:
                    end(said["channel"], None)
                spans.append(begin(said, command))
                current[said["channel"]] = spans[-1]
            case "unsubscribed":
                end(message["unsubscribed"]["channel"], message["unsubscribed"]["cursor"])
            case "ended":
                # With 4410 it is not where the reader was, but where nothing is missing any more.
                is_lost = message["ended"]["code"] == 4410
                end(message["ended"]["channel"], None if is_lost else message["ended"]["cursor"])
            case "position":
                for channel, cursor in message["position"].items():
                    current[channel].position = cursor
            case "closing":
                assert set(message["closing"]) == set(current)
                for channel, cursor in message["closing"].items():
                    end(channel, cursor)
    return spans


def begin(said: Json, command: Json) -> Span:
    """The span of an acknowledgement, which must say truly where it begins."""
    cursor, wanted = said["cursor"], command.get("cursor")
    if wanted is not None and tag_of(wanted) == tag_of(cursor):
        assert cursor == wanted if said["complete"] else cursor != wanted
    assert cursor <= said["tail"]
    assert ("oldest" in said) is not said["complete"]
    types = frozenset(command["types"]) if command.get("types") else None
    return Span(said["channel"], cursor, types)
