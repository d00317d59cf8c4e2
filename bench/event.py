"""The event that everybody publishes and delivers: 200 bytes as Tidemark sends it, with a mark in its data. Pure.

Peers that add nothing of their own are given the whole 200 bytes to publish, so all put the same bytes on the wire.
"""

from broker.events import Draft, frame, store
from broker.ids import Position, render_tag

CHANNEL = "bench"
PUBLISHER = "bench"
TYPE = "tick"
MARK = b"mark=" + b"0" * 28
DATA = b'{"price":675000,"mark":"%b"}' % MARK
BATCH_EVENTS = 100

SCHEMA = {
    "type": "object",
    "properties": {"price": {"type": "number"}, "mark": {"type": "string", "maxLength": 64}},
    "required": ["price", "mark"],
    "additionalProperties": False,
}
CONFIG = {"strict_types": True, "types": {TYPE: {"schema": SCHEMA}}}


def publish_body() -> bytes:
    """A publish of one event, as Tidemark's API takes it."""
    return b'{"type":"%b","data":%b}' % (TYPE.encode(), DATA)


def batch_body(events: int = BATCH_EVENTS) -> bytes:
    """A publish of several events."""
    return b'{"events":[%b]}' % b",".join([publish_body()] * events)


def wire_event() -> bytes:
    """The event as Tidemark delivers it; only the id and the time are of another moment."""
    draft = Draft(type=TYPE, data=None, data_json=DATA, meta=None, reply_to=None)
    stored = store(draft, CHANNEL, PUBLISHER, None)
    return frame(render_tag(1), Position(1_736_933_401_000, 0), stored.type_json, stored.tail).wire


def around_data() -> tuple[bytes, bytes]:
    """What Tidemark puts before and after the data of an event."""
    before, _, after = wire_event().partition(DATA)
    return before, after
