"""The calls that ask when a calendar or an agent is free (contract section 12)."""

from starlette.requests import Request
from starlette.responses import Response

from handlers.broker import broker_of
from handlers.calendar.availability import (
    AskedTime,
    busy_of,
    parse_availability,
    render_availability,
    render_stretches,
    slots_of,
)
from handlers.calendar.calendar_event import CalendarEvent
from handlers.calendar.documents import overlap_reads
from handlers.calendar.imports.documents import SUBSCRIPTION, subscription_index
from handlers.calendar.imports.health import Health, health_of
from handlers.calendar.imports.subscription import parse_kept as parse_subscription
from handlers.calendar.serving import PAGE, AllEvents, Caller, caller_of, path_id, read_all, see_agent, see_calendar
from handlers.idempotency import state_answer


async def calendar_availability(request: Request) -> Response:
    """The free slots of a calendar."""
    caller, calendar_id = caller_of(request), path_id(request, "calendar_id", "Calendar")
    await see_calendar(broker_of(request), caller.place(calendar_id))
    asked = parse_availability(request.query_params.multi_items())
    events, now_ms, tail = await _events(request, caller, calendar_id, asked)
    busy = busy_of(events, asked, now_ms)
    common = render_availability(slots_of(busy, asked), await _health(request, caller, calendar_id))
    shown = {"calendar_id": calendar_id, **common}
    return state_answer(shown | ({"busy": render_stretches(busy)} if asked.include_busy else {}), tail)


async def agent_availability(request: Request) -> Response:
    """The slots in which none of an agent's calendars is taken."""
    caller, agent_id = caller_of(request), path_id(request, "agent_id", "Agent")
    await see_agent(broker_of(request), caller, agent_id)
    asked = parse_availability(request.query_params.multi_items())
    events, now_ms, tail = await _events(request, caller, agent_id, asked)
    busy = busy_of(events, asked, now_ms)
    common = render_availability(slots_of(busy, asked), await _health(request, caller, agent_id))
    shown = {"agents": [agent_id], **common}
    return state_answer(
        shown | ({"per_agent_busy": {agent_id: render_stretches(busy)}} if asked.include_busy else {}), tail
    )


async def _health(request: Request, caller: Caller, of: str) -> Health:
    """How current what is subscribed to is, for a calendar or an agent."""
    broker, place = broker_of(request), (SUBSCRIPTION, subscription_index(caller.tenant, of))
    page = await broker.reader.page(broker.engine.partition(caller.tenant), *place, limit=PAGE)
    found = [parse_subscription(each.body) for _, each in page.documents]
    return health_of(found, page.now_us // 1000, broker.ical.stale_after_ms)


async def _events(request: Request, caller: Caller, of: str, asked: AskedTime) -> AllEvents:
    """The events that meet the range, and few others."""
    broker, found = broker_of(request), dict[str, CalendarEvent]()
    now_ms, tail = 0, None
    for index, lowest, highest in overlap_reads(caller.tenant, of, asked.start_ms, asked.end_ms):
        some = await read_all(broker, caller.tenant, index, lowest=lowest, highest=highest)
        found |= {event.id: event for event in some.events}
        now_ms, tail = some.now_ms, tail or some.tail
    return AllEvents(list(found.values()), now_ms, tail)
