"""How followed channels end: one table for the sockets, the SSE stream and the documents (contract section 16).

The codes with which subscriptions end are those of `broker.closing`; the others come from the WebSocket protocol
and its bounds (`handlers.serving`). `docs/close-codes.md` shows this table (`./run reference`).
"""

from typing import Literal, NamedTuple

from broker.closing import CURSOR_EXPIRED, DELETED, FORBIDDEN, LAGGING, NOT_VOUCHED, RESTART, TOKEN_EXPIRED, CloseReason

Door = Literal["ws", "sse", "many", "ended"]
"""A channel's socket, its SSE stream (event `close`), `/api/v1/ws`, and the message `ended` there."""

SOCKETS: frozenset[Door] = frozenset(("ws", "many"))
FOLLOWING: frozenset[Door] = frozenset(("ws", "sse", "ended"))
EVERYWHERE: frozenset[Door] = frozenset(("ws", "sse", "many"))


class CloseCode(NamedTuple):
    """One way to end: where it occurs, whether to come back, from which cursor, and after what wait."""

    code: int
    reason: str
    doors: frozenset[Door]
    reconnect: str
    cursor: str
    wait: str


def _own(reason: CloseReason, doors: frozenset[Door], reconnect: str, cursor: str, wait: str) -> CloseCode:
    return CloseCode(reason.code, reason.reason, doors, reconnect, cursor, wait)


_TOLD = "the one told"
_LAST = "of the last event seen"
_GROWING = "1 s, doubled to 30 s, with jitter"

CLOSE_CODES: tuple[CloseCode, ...] = (
    _own(DELETED, FOLLOWING, "no: a channel created again is another one", "none", "-"),
    CloseCode(1002, "protocol error", SOCKETS, "no: the client is at fault", _LAST, "-"),
    CloseCode(1007, "invalid UTF-8", SOCKETS, "no: the client is at fault", _LAST, "-"),
    CloseCode(1008, "too many messages", SOCKETS, "yes, and send less", _LAST, "60 s"),
    CloseCode(1009, "message too big", SOCKETS, "yes, and send less at once", _LAST, _GROWING),
    CloseCode(1011, "no answer to a ping, or a defect", SOCKETS, "yes", _LAST, _GROWING),
    _own(RESTART, EVERYWHERE, "yes", _TOLD, "a random part of 1 s; then as for 1013"),
    _own(NOT_VOUCHED, EVERYWHERE, "yes", _TOLD, _GROWING),
    _own(TOKEN_EXPIRED, frozenset(("ws", "sse", "many", "ended")), "yes, with a new token", _TOLD, "-"),
    _own(FORBIDDEN, FOLLOWING, "only with another token", _TOLD, "-"),
    _own(LAGGING, FOLLOWING, "yes, and read faster or filter", _TOLD, "1 s"),
    _own(CURSOR_EXPIRED, frozenset(("ws", "ended")), "yes: what was lost is lost", _TOLD, "-"),
)
"""In the order of the codes. `cursor` is the one to resume from; a connection lost without a close is like 1011."""


def codes_at(door: Door) -> list[dict[str, object]]:
    """The rows of one door, as the AsyncAPI document shows them."""
    return [
        {
            "code": row.code,
            "reason": row.reason,
            "reconnect": row.reconnect,
            "cursor": row.cursor,
            "wait": row.wait,
        }
        for row in CLOSE_CODES
        if door in row.doors
    ]
