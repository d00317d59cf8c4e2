"""The reason of a close frame."""

from broker.closing import CURSOR_EXPIRED, DELETED, Closed, CloseReason
from handlers.channels.endings import MAX_REASON_BYTES, close_reason


def test_a_reason_has_the_cursor_to_resume_from_where_there_is_one() -> None:
    assert close_reason(Closed(CURSOR_EXPIRED, "01J")) == "cursor expired; cursor=01J"
    assert close_reason(Closed(DELETED, None)) == "channel deleted"


def test_a_reason_fits_into_a_close_frame() -> None:
    assert len(close_reason(Closed(CloseReason(4000, "x" * 200), None))) == MAX_REASON_BYTES
