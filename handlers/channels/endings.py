"""How a socket says why it ends: in the reason of its close frame, with the cursor to resume from (contract 9)."""

from broker.closing import Closed

MAX_REASON_BYTES = 123
INTERNAL_ERROR = 1011


def close_reason(closed: Closed) -> str:
    """The text for the close frame."""
    reason = closed.reason if closed.cursor is None else f"{closed.reason}; cursor={closed.cursor}"
    return reason[:MAX_REASON_BYTES]
