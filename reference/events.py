"""What each API tells on its channels: types, and the members of `data` (the AsyncAPI document's own messages)."""

from handlers.asyncapi import Connection, Message
from handlers.channels.event_schemas import EVENT
from handlers.routes import CONNECTIONS_OF_ALL
from reference.markdown import code, render_table
from reference.schemas import Member, members_of, render_bounds, render_type

CONNECTIONS: dict[str, Connection] = {each.name: each for each in CONNECTIONS_OF_ALL}
TOLD_ON = ("lifecycleTeam", "liveTeam", "liveWatch", "calendar", "cueyTeam")
"""The connections of the APIs that tell types of their own."""
_HEADS = ["Member", "Type", "Bounds", "Says"]


def render_frame() -> str:
    """The members of any channel event."""
    return render_table(_HEADS, list(map(_row, members_of(EVENT))))


def render_types(name: str) -> str:
    """The types told on a connection, and the members that not all of them have."""
    of_each = [{each.path for each in _members(message)} for message in CONNECTIONS[name].sends]
    common = set.intersection(*of_each)
    rows = [
        [code(message.name), message.summary, ", ".join(code(each.path) for each in _own(message, common))]
        for message in CONNECTIONS[name].sends
    ]
    heads = ["Type", "Told", "Own members"]
    return render_table(heads, rows) if any(row[2] for row in rows) else render_table(heads[:2], [r[:2] for r in rows])


def render_members(name: str) -> str:
    """The members of `data`: those of all types of a connection, then those of some."""
    found = [each for message in CONNECTIONS[name].sends for each in _members(message)]
    by_path = {each.path: each for each in reversed(found)}
    ordered = [by_path[path] for path in dict.fromkeys(each.path for each in found)]
    return render_table(_HEADS, list(map(_row, ordered)))


def _members(message: Message) -> list[Member]:
    return list(members_of(message.payload["properties"]["data"]))


def _own(message: Message, common: set[str]) -> list[Member]:
    return [each for each in _members(message) if each.path not in common and "." not in each.path]


def _row(member: Member) -> list[str]:
    says = str(member.schema.get("description", ""))
    kind = render_type(member.schema) + ("" if member.is_required else ", may be absent")
    return [code(member.path), kind, render_bounds(member.schema), says]
