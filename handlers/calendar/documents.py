"""How calendars are kept: documents, indexes, timers (design section 5). Pure.

Each list that can be asked for is an index: of events by their start, for a calendar and for the agent that owns it,
for each status and source; so pages and totals are read at once. The holds documents stand in an index by their next
expiry, by which reads find what is due.
"""

from broker.change import Delete, DocumentKey, Entry, Put
from broker.timers import Timer, TimerName
from handlers.calendar.calendar_event import CalendarEvent, render_kept
from handlers.calendar.calendars import Agent, Calendar
from handlers.calendar.calendars import render_kept as render_made
from handlers.calendar.holds import Hold, next_expiry, render_holds

EVENT = "calendar-event"
CALENDAR = "calendar"
AGENT = "calendar-agent"
HOLDS = "calendar-holds"
MOMENT_TIMER = "calendar-moment"
EXPIRY_TIMER = "calendar-expiry"
REARM_TIMER = "calendar-rearm"
PURGE_TIMER = "calendar-purge"
IMPORTED_KEPT_MS = 31 * 86_400_000
"""So long after its end an event of a feed is forgotten: nobody can delete it."""


def event_key(tenant: str, event_id: str) -> DocumentKey:
    """The document of an event."""
    return DocumentKey(EVENT, f"{tenant}/{event_id}")


def calendar_key(tenant: str, calendar_id: str) -> DocumentKey:
    """The document of a calendar."""
    return DocumentKey(CALENDAR, f"{tenant}/{calendar_id}")


def agent_key(tenant: str, agent_id: str) -> DocumentKey:
    """The document of an agent."""
    return DocumentKey(AGENT, f"{tenant}/{agent_id}")


def holds_key(tenant: str, calendar_id: str) -> DocumentKey:
    """The document of a calendar's active holds."""
    return DocumentKey(HOLDS, f"{tenant}/{calendar_id}")


def event_index(tenant: str, of: str, status: str | None = None, source: str | None = None) -> str:
    """The index of the events of a calendar or an agent (`of` is its id), with this status and source."""
    return f"calendar-events/{tenant}/{of}/{status or ''}/{source or ''}"


def end_index(tenant: str, of: str) -> str:
    """The index of the events of a calendar or an agent by when they end."""
    return f"calendar-events-by-end/{tenant}/{of}"


def calendar_index(tenant: str, agent_id: str | None = None) -> str:
    """The index of all calendars, or of an agent's."""
    return f"calendars/{tenant}/{agent_id or ''}"


def agent_index(tenant: str) -> str:
    """The index of agents."""
    return f"calendar-agents/{tenant}"


def imported_index(tenant: str, subscription_id: str) -> str:
    """The index of the events of a subscription, by their ends."""
    return f"calendar-imported/{tenant}/{subscription_id}"


def due_index(tenant: str) -> str:
    """The index of holds documents by their next expiry."""
    return f"calendar-due/{tenant}"


def put_event(tenant: str, event: CalendarEvent, owner: str | None, expected: int) -> Put:
    """The document of an event, in a calendar that this agent owns, in place of the version `expected`.

    One of a feed stands in an index by its end too, and is forgotten a while after that.
    """
    key = event_key(tenant, event.id)
    places = [of for of in (event.calendar_id, owner) if of is not None]
    by_start = [
        Entry(event_index(tenant, of, status, source), event.start_ms, key.id)
        for of in places
        for status in (None, event.status.value)
        for source in (None, event.source)
    ]
    entries = (*by_start, *(Entry(end_index(tenant, of), event.end_ms, key.id) for of in places))
    if event.subscription_id is None:
        return Put(key, expected, render_kept(event), entries)
    imported = Entry(imported_index(tenant, event.subscription_id), event.end_ms, key.id)
    return Put(key, expected, render_kept(event), (*entries, imported), event.end_ms + IMPORTED_KEPT_MS)


def put_calendar(tenant: str, calendar: Calendar, expected: int) -> Put:
    """The document of a calendar."""
    key = calendar_key(tenant, calendar.id)
    names = [calendar_index(tenant)]
    if calendar.agent_id is not None:
        names.append(calendar_index(tenant, calendar.agent_id))
    entries = tuple(Entry(name, calendar.created_ms, key.id) for name in names)
    return Put(key, expected, render_made(calendar), entries)


def put_agent(tenant: str, agent: Agent, expected: int) -> Put:
    """The document of an agent."""
    key = agent_key(tenant, agent.id)
    return Put(key, expected, render_made(agent), (Entry(agent_index(tenant), agent.created_ms, key.id),))


def put_holds(tenant: str, calendar_id: str, holds: tuple[Hold, ...], expected: int) -> Put | Delete:
    """The document of a calendar's active holds; none where there are none."""
    key, first_ms = holds_key(tenant, calendar_id), next_expiry(holds)
    if first_ms is None:
        return Delete(key, expected)
    return Put(key, expected, render_holds(holds), (Entry(due_index(tenant), first_ms, key.id),))


def expiry_timer(tenant: str, calendar_id: str, holds: tuple[Hold, ...]) -> Timer | TimerName:
    """The timer of a calendar's next expiry."""
    name, first_ms = TimerName(EXPIRY_TIMER, tenant, calendar_id), next_expiry(holds)
    return name if first_ms is None else Timer(name, first_ms)


def moment_timer(tenant: str, event_id: str, at_ms: int | None) -> Timer | TimerName:
    """The timer of what is to be told of an event next."""
    name = TimerName(MOMENT_TIMER, tenant, event_id)
    return name if at_ms is None else Timer(name, at_ms)
