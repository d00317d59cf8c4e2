"""The calls about calendars and agents (contract sections 4 and 5)."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.errors import Forbidden
from broker.storage.state import Page
from handlers.auth import NO_RIGHT
from handlers.broker import broker_of
from handlers.calendar import making
from handlers.calendar.calendars import parse_agent, parse_calendar, render_agent
from handlers.calendar.decisions import find_calendar
from handlers.calendar.documents import AGENT, CALENDAR, agent_index, agent_key, calendar_index, event_key
from handlers.calendar.feed_routes import feeds_of
from handlers.calendar.models import AgentTaken
from handlers.calendar.serving import (
    Caller,
    caller_of,
    execute,
    execute_on,
    fresh_calendar_id,
    fresh_id,
    organisation_of,
    path_id,
    read_one,
    read_page,
    see_agent,
)
from handlers.calendar.timing import first_events, purge
from handlers.calendar.wire import one_of, parse_body, parse_calendar_patch, parse_list
from handlers.calendar.wire import parse_calendar as parse_asked
from handlers.requests import asked_or_refusal, read_json


async def create_calendar(request: Request) -> Response:
    """A new calendar of the organisation."""
    organisation_of(request)
    body = await read_json(request)
    caller, calendar_id = organisation_of(request), fresh_calendar_id()
    decide = partial(
        making.creating_calendar, caller.tenant, parse_asked(body), calendar_id, None, None, feeds_of(request)
    )
    return await execute(request, caller, body, [], decide, calendar_id)


async def create_agent_calendar(request: Request) -> Response:
    """A new calendar that an agent owns."""
    agent_id = path_id(request, "agent_id", "Agent")
    caller_of(request)
    body = await read_json(request)
    caller, calendar_id = caller_of(request), fresh_calendar_id()
    await see_agent(broker_of(request), caller, agent_id)
    asked = parse_asked(body)
    decide = partial(
        making.creating_calendar, caller.tenant, asked, calendar_id, agent_id, caller.agent, feeds_of(request)
    )
    return await execute(request, caller, body, [agent_key(caller.tenant, agent_id)], decide, calendar_id)


async def list_calendars(request: Request) -> Response:
    """All calendars that the caller may see."""
    caller, query = caller_of(request), request.query_params.multi_items()
    one_of(query, "include", ("all",))
    place = (CALENDAR, calendar_index(caller.tenant, caller.agent))
    return await read_page(
        request,
        caller,
        place,
        parse_list(query),
        partial(_shown, request, caller),
    )


async def list_agent_calendars(request: Request) -> Response:
    """The calendars that an agent owns."""
    caller, agent_id = caller_of(request), path_id(request, "agent_id", "Agent")
    await see_agent(broker_of(request), caller, agent_id)
    return await read_page(
        request,
        caller,
        (CALENDAR, calendar_index(caller.tenant, agent_id)),
        parse_list(request.query_params.multi_items()),
        partial(_shown, request, caller),
    )


async def read_calendar(request: Request) -> Response:
    """A calendar."""
    caller, calendar_id = caller_of(request), path_id(request, "calendar_id", "Calendar")
    place = caller.place(calendar_id)
    return await read_one(
        request,
        caller,
        place.keys,
        lambda loaded: making.show_calendar(find_calendar(place, loaded), caller.tenant, feeds_of(request)),
        calendar_id,
    )


async def update_calendar(request: Request) -> Response:
    """Change a calendar; what is left out stays as it is."""
    caller_of(request)
    calendar_id = path_id(request, "calendar_id", "Calendar")
    body, asked = await asked_or_refusal(request, parse_calendar_patch)
    caller = caller_of(request)
    place = caller.place(calendar_id)
    decide = partial(making.patching_calendar, place, asked, feeds_of(request))
    return await execute_on(request, caller, body, place.keys, decide, calendar_id)


async def delete_calendar(request: Request) -> Response:
    """Remove a calendar with all its events."""
    caller, calendar_id, broker = caller_of(request), path_id(request, "calendar_id", "Calendar"), broker_of(request)
    place = caller.place(calendar_id)
    ids = await first_events(broker, caller.tenant, calendar_id)
    keys = [*place.keys, *(event_key(caller.tenant, each) for each in ids)]
    decide = partial(making.deleting_calendar, place, ids)
    answer = await execute_on(request, caller, None, keys, decide, calendar_id)
    await purge(broker, caller.tenant, calendar_id)
    return answer


async def create_agent(request: Request) -> Response:
    """A new agent."""
    organisation_of(request)
    body = await read_json(request)
    caller, asked = organisation_of(request), parse_body(AgentTaken, body)
    decide = partial(making.creating_agent, caller.tenant, asked, fresh_id(broker_of(request), "agt_"))
    return await execute(request, caller, body, [], decide)


async def list_agents(request: Request) -> Response:
    """All agents of the organisation."""
    caller = organisation_of(request)
    return await read_page(
        request,
        caller,
        (AGENT, agent_index(caller.tenant)),
        parse_list(request.query_params.multi_items()),
        lambda page: [render_agent(parse_agent(each.body), caller.tenant) for _, each in page.documents],
    )


async def read_agent(request: Request) -> Response:
    """An agent."""
    caller, agent_id = caller_of(request), path_id(request, "agent_id", "Agent")
    if caller.agent not in (None, agent_id):
        raise Forbidden(NO_RIGHT)
    return await read_one(
        request,
        caller,
        [agent_key(caller.tenant, agent_id)],
        lambda loaded: render_agent(making.find_agent(caller.tenant, agent_id, caller.agent, loaded), caller.tenant),
    )


def _shown(request: Request, caller: Caller, page: Page) -> list[Any]:
    feeds = feeds_of(request)
    return [making.show_calendar(parse_calendar(each.body), caller.tenant, feeds) for _, each in page.documents]
