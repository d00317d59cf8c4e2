"""The list of channels: its order, the merging of its indexes, and how a channel is shown (contract section 4). Pure.

The list is ordered by creation time and tag, newest first. Both are in the ids of a channel's log, so the cursor of
the list is a ULID as well: the start cursor of the last channel looked at. It tells nothing of that channel, which the
caller may not be allowed to see.

An index holds members that order as text, all digits and letters of fixed length before the id:

    {creation time, 15 digits}{tag, 9 letters}/{id}
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from broker.channels import ChannelRecord, render_record
from broker.cursors import LogMeta
from broker.errors import Invalid
from broker.ids import Position, parse_ulid, render_tag, render_time, render_ulid

_TAG_AT, _ID_AT = 15, 25


class Run(NamedTuple):
    """Members of an index, highest first. `floor` is the last one looked at, b"" when none lie below the run."""

    members: Sequence[bytes]
    floor: bytes


def render_member(created_ms: int, tag_letters: str, channel_id: str = "") -> str:
    """What the indexes hold of a channel; without an id, what lies just below all of this time and tag."""
    return f"{created_ms:015d}{tag_letters}/{channel_id}"


def member_of(record: ChannelRecord) -> str:
    """What the indexes hold of this channel."""
    return render_member(record.created_ms, record.tag_letters, record.id)


def id_of(member: bytes) -> str:
    """The id of the channel that a member stands for."""
    return member[_ID_AT:].decode()


def cursor_of(member: bytes) -> str:
    """The cursor that goes on below a member."""
    return render_ulid(member[_TAG_AT : _ID_AT - 1].decode(), Position(int(member[:_TAG_AT]), 0))


def parse_list_cursor(text: str) -> bytes:
    """The bound below which a list with this cursor goes on; raises `Invalid`."""
    try:
        ms, tag, _ = parse_ulid(text)
    except Invalid:
        raise Invalid("cursor must be the cursor of an earlier list") from None
    return render_member(ms, render_tag(tag)).encode()


def merge_runs(runs: Sequence[Run]) -> Run:
    """One run of all: every member that is known to come next, in order and once.

    Below the highest floor an index may have members that its run does not show, so the merged run ends there.
    """
    floor = max((run.floor for run in runs), default=b"")
    return Run(sorted({member for run in runs for member in run.members if member >= floor}, reverse=True), floor)


def render_listed(record: ChannelRecord, meta: LogMeta) -> dict[str, Any]:
    """A channel of the list: its record, and what its log says of itself."""
    last = meta.last
    return {
        **render_record(record),
        "event_count": meta.event_count,
        "last_event_id": None if last is None else render_ulid(record.tag_letters, last),
        "last_event_at": None if last is None else render_time(last.ms),
        "created_at": render_time(record.created_ms),
    }
