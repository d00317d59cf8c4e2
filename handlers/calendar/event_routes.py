"""The calls about events and holds (contract sections 6 to 8): each is one commit."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from handlers.broker import broker_of
from handlers.calendar import decisions
from handlers.calendar.calendar_event import parse_kept, render_calendar_event
from handlers.calendar.documents import EVENT, event_index, event_key
from handlers.calendar.machine import Command
from handlers.calendar.quota import counting, quota_key
from handlers.calendar.serving import (
    Caller,
    calendar_of_event,
    caller_of,
    execute,
    execute_on,
    fresh_id,
    path_id,
    read_one,
    read_page,
    see_agent,
    see_calendar,
)
from handlers.calendar.wire import Asked, parse_event, parse_event_list, parse_event_patch
from handlers.committing import again_where_gone
from handlers.requests import asked_or_refusal, read_json


async def create_event(request: Request) -> Response:
    """A new event; with the status `hold`, a hold, before which weaker holds of the slot give way."""
    calendar_id = path_id(request, "calendar_id", "Calendar")
    body = await _body_of(request)
    caller = caller_of(request)
    place, asked = caller.place(calendar_id), parse_event(body)
    broker = broker_of(request)
    decide, keys = partial(decisions.creating, place, asked, fresh_id(broker, "evt_")), place.keys
    if broker.calendar.events_per_month:
        key = quota_key(caller.tenant, await broker.engine.now_ms(broker.engine.partition(caller.tenant)))
        decide, keys = partial(counting, key, broker.calendar.events_per_month, decide), [*keys, key]
    return await execute_on(request, caller, body, keys, decide, calendar_id)


async def list_events(request: Request) -> Response:
    """A calendar's events by their start."""
    caller, calendar_id = caller_of(request), path_id(request, "calendar_id", "Calendar")
    asked = parse_event_list(request.query_params.multi_items())
    await see_calendar(broker_of(request), caller.place(calendar_id))
    return await _listed(request, caller, calendar_id, asked)


async def list_agent_events(request: Request) -> Response:
    """The events of all calendars that an agent owns, by their start."""
    caller, agent_id = caller_of(request), path_id(request, "agent_id", "Agent")
    asked = parse_event_list(request.query_params.multi_items())
    await see_agent(broker_of(request), caller, agent_id)
    return await _listed(request, caller, agent_id, asked)


async def read_event(request: Request) -> Response:
    """An event of a calendar."""
    caller, calendar_id = caller_of(request), path_id(request, "calendar_id", "Calendar")
    return await _read(request, caller, calendar_id, path_id(request, "calendar_event_id", "Event"))


async def read_event_by_id(request: Request) -> Response:
    """An event, whichever calendar it is in."""
    caller = caller_of(request)
    place, event_id = await calendar_of_event(request, caller)
    return await _read(request, caller, place.calendar_id, event_id)


async def update_event(request: Request) -> Response:
    """Change an event; what is left out stays as it is."""
    caller_of(request)
    calendar_id = path_id(request, "calendar_id", "Calendar")
    return await _update(request, calendar_id, path_id(request, "calendar_event_id", "Event"))


async def update_event_by_id(request: Request) -> Response:
    """Change an event, whichever calendar it is in."""
    place, event_id = await calendar_of_event(request, caller_of(request))
    return await _update(request, place.calendar_id, event_id)


async def delete_calendar_event(request: Request) -> Response:
    """Remove an event; a hold frees its slot."""
    caller, calendar_id = caller_of(request), path_id(request, "calendar_id", "Calendar")
    return await _delete(request, caller, calendar_id, path_id(request, "calendar_event_id", "Event"))


async def delete_event_by_id(request: Request) -> Response:
    """Remove an event, whichever calendar it is in."""
    caller = caller_of(request)

    async def attempt() -> Response:
        place, event_id = await calendar_of_event(request, caller)
        return await _delete(request, caller, place.calendar_id, event_id)

    return await again_where_gone(request, caller.tenant, caller.grant, None, attempt)


async def confirm_hold(request: Request) -> Response:
    """Make an active hold a confirmed event."""
    return await _end(request, Command.CONFIRM)


async def release_hold(request: Request) -> Response:
    """Cancel an active hold."""
    return await _end(request, Command.RELEASE)


async def _body_of(request: Request) -> object:
    caller_of(request)
    return await read_json(request)


async def _listed(request: Request, caller: Caller, of: str, asked: Asked) -> Response:
    index = event_index(caller.tenant, of, asked.status, asked.source)
    return await read_page(
        request,
        caller,
        (EVENT, index),
        asked,
        lambda page: [render_calendar_event(parse_kept(each.body)) for _, each in page.documents],
    )


async def _read(request: Request, caller: Caller, calendar_id: str, event_id: str) -> Response:
    place = caller.place(calendar_id)
    keys = [*place.keys, event_key(caller.tenant, event_id)]
    return await read_one(
        request,
        caller,
        keys,
        lambda loaded: render_calendar_event(decisions.find_event(place, event_id, loaded).event),
        calendar_id,
    )


async def _update(request: Request, calendar_id: str, event_id: str) -> Response:
    body, asked = await asked_or_refusal(request, parse_event_patch)
    caller = caller_of(request)
    place = caller.place(calendar_id)
    keys = [*place.keys, event_key(caller.tenant, event_id)]
    decide = partial(decisions.patching, place, event_id, asked)
    return await execute_on(request, caller, body, keys, decide, calendar_id)


async def _delete(request: Request, caller: Caller, calendar_id: str, event_id: str) -> Response:
    place = caller.place(calendar_id)
    keys = [*place.keys, event_key(caller.tenant, event_id)]
    return await execute_on(request, caller, None, keys, partial(decisions.deleting, place, event_id), calendar_id)


async def _end(request: Request, command: Command) -> Response:
    caller = caller_of(request)

    async def attempt() -> Response:
        place, event_id = await calendar_of_event(request, caller)
        keys = [*place.keys, event_key(caller.tenant, event_id)]
        decide = partial(decisions.ending, place, event_id, command)
        return await execute(request, caller, None, keys, decide, place.calendar_id)

    return await again_where_gone(request, caller.tenant, caller.grant, None, attempt)
