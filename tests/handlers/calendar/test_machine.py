"""What an event becomes by a PATCH, and what may still be done to it (contract section 7)."""

import pytest

from broker.errors import Conflict
from handlers.calendar.calendar_event import CalendarEvent, HoldEnd, Status
from handlers.calendar.feed import in_feed
from handlers.calendar.machine import check_may_end, patched


@pytest.mark.parametrize("end", ["expired", "bumped", "released"])
def test_a_hold_that_a_patch_made_an_event_is_an_ordinary_one_when_it_is_cancelled(end: HoldEnd) -> None:
    ended = CalendarEvent("evt_1", "cal_1", "t", 10, 20, 1, 2, status=Status.CANCELLED, hold_expires_ms=5, hold_end=end)
    event = patched(ended, {"status": Status.CONFIRMED}, 6)
    cancelled = patched(event, {"status": Status.CANCELLED}, 7)
    assert [in_feed(each) for each in (ended, event, cancelled)] == [False, True, True]
    with pytest.raises(Conflict) as refused:
        check_may_end(cancelled)
    assert refused.value.extra["code"] == "not_a_hold"


def test_a_hold_that_expired_has_expired_whatever_else_a_patch_changes() -> None:
    ended = CalendarEvent("evt_1", "cal_1", "t", 10, 20, 1, 2, status=Status.CANCELLED, hold_end="expired")
    with pytest.raises(Conflict) as refused:
        check_may_end(patched(ended, {"title": "other"}, 6))
    assert refused.value.extra["code"] == "hold_expired"
