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
LONG_MS = (86_400_000, 32 * 86_400_000)
"""Events that last longer than one of these stand in an index of such events too."""
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


def long_index(tenant: str, of: str, longer_than_ms: int) -> str:
    """The index of the events of a calendar or an agent that last longer than this, one of `LONG_MS`."""
    return f"calendar-long/{tenant}/{of}/{longer_than_ms}"


def overlap_reads(tenant: str, of: str, start_ms: int, end_ms: int) -> list[tuple[str, str, str]]:
    """Indexes, each with the lowest and highest score in it, that have every event which meets a range of time.

    An event lasts no longer than the next of `LONG_MS`, or stands in the next index. What lasts longest is read first:
    an event that is made longer meanwhile is still in the indexes that come later.
    """
    names = [event_index(tenant, of), *(long_index(tenant, of, each) for each in LONG_MS)]
    lowest = [*(f"({start_ms - each}" for each in LONG_MS), "-inf"]
    return [(name, low, f"({end_ms}") for name, low in zip(names, lowest, strict=True)][::-1]


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
    key, whose = event_key(tenant, event.id), [of for of in (event.calendar_id, owner) if of is not None]
    lists = [
        event_index(tenant, of, status, source)
        for of in whose
        for status in (None, event.status.value)
        for source in (None, event.source)
    ]
    lists += [long_index(tenant, of, each) for of in whose for each in LONG_MS if event.end_ms - event.start_ms > each]
    entries = tuple(Entry(name, event.start_ms, key.id) for name in lists)
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
