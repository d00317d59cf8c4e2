"""The decision when something of an event is due: it is told, and the next is armed (contract section 9). Pure."""

from dataclasses import replace

from broker.change import NOTHING, Change
from broker.storage.state import Loaded
from handlers.calendar.calendar_event import parse_kept
from handlers.calendar.calendars import parse_calendar
from handlers.calendar.documents import calendar_key, event_key, moment_timer, put_event
from handlers.calendar.events import told_of_moment
from handlers.calendar.moments import due_moments, next_moment_ms


def telling(tenant: str, event_id: str, loaded: Loaded) -> Change:
    """What the timer of an event leads to; nothing where the event or its calendar is gone."""
    document = loaded.documents[event_key(tenant, event_id)]
    if document is None:
        return NOTHING
    event, now_ms = parse_kept(document.body), loaded.now_ms
    found = loaded.documents.get(calendar_key(tenant, event.calendar_id))
    if found is None:
        return NOTHING
    calendar = parse_calendar(found.body)
    due = due_moments(event, calendar, now_ms)
    # Not a change that anybody made: neither updated_at nor the version move, only what was seen to.
    after = replace(event, watched_ms=max(event.watched_ms, now_ms))
    return Change(
        (put_event(tenant, after, calendar.agent_id, document.version),),
        tuple(each for moment in due for each in told_of_moment(tenant, event, moment, now_ms)),
        (moment_timer(tenant, event_id, next_moment_ms(after, calendar, now_ms)),),
    )
