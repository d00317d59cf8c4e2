"""The operations of calendars, and their messages for the AsyncAPI document."""

from handlers.asyncapi import Message, typed
from handlers.calendar import availability_routes, calendar_routes, event_routes, feed_routes, webhook_operations
from handlers.calendar.availability import DEFAULT, DURATIONS_MIN
from handlers.calendar.describing import operation as _operation
from handlers.calendar.errors import render_error
from handlers.calendar.events import SUMMARIES, Told
from handlers.calendar.imports import operations as imports
from handlers.calendar.models import (
    AgentAvailabilityShown,
    AgentShown,
    AgentsShown,
    AgentTaken,
    CalendarAvailabilityShown,
    CalendarPatched,
    CalendarShown,
    CalendarsShown,
    CalendarTaken,
    ErrorShown,
    EventPatched,
    EventShown,
    EventsShown,
    EventTaken,
)
from handlers.model_schemas import schema_of
from handlers.operations import Answer, Operation, Parameter, Schema

CALENDARS, AGENTS, EVENTS = "/v1/calendars", "/v1/agents", "/v1/events"
CALENDAR, AGENT, EVENT = f"{CALENDARS}/{{calendar_id}}", f"{AGENTS}/{{agent_id}}", f"{EVENTS}/{{calendar_event_id}}"
ICAL = "/ical"
ENVELOPES = dict.fromkeys(
    (CALENDARS, AGENTS, EVENTS, webhook_operations.WEBHOOKS, imports.SUBSCRIPTIONS, ICAL), render_error
)
"""Every error below these paths, also those that no call of ours gave, has the body of this API."""

FOLLOW_PATH = "/api/v1/channels/calendar-{letters}-{tenant}/ws"

_PAGE = (
    Parameter("limit", "50 without.", {"type": "integer", "minimum": 1, "maximum": 200}),
    Parameter("offset", "How many to pass over.", {"type": "integer", "minimum": 0, "maximum": 10**9}),
)
_TIME = {"type": "string", "format": "date-time"}
_FILTERS = (
    Parameter("start_after", "Begins then or later.", _TIME),
    Parameter("start_before", "Begins before.", _TIME),
    Parameter("status", "Of this status only.", {"enum": ["confirmed", "tentative", "cancelled", "hold"]}),
    Parameter("source", "Of this source only.", {"enum": ["internal", "external_ical"]}),
)
_FREE = (
    Parameter("start", "Required.", _TIME),
    Parameter("end", "Required; at most 366 days later.", _TIME),
    Parameter("duration", f"{DEFAULT} without.", {"enum": list(DURATIONS_MIN)}),
    Parameter("slot_duration", "The old name of duration.", {"enum": list(DURATIONS_MIN)}),
    Parameter("include_busy", "Show what is taken too.", {"enum": ["true", "false"]}),
    Parameter("allow_stale", "Taken, and changes nothing: what is old is shown as such.", {"enum": ["true", "false"]}),
)


_calendars, _events, _free = calendar_routes, event_routes, availability_routes
_ON_CALENDAR = f"{CALENDAR}/events/{{calendar_event_id}}"

OPERATIONS = (
    _operation(
        "POST",
        CALENDARS,
        _calendars.create_calendar,
        "Make a calendar",
        CalendarShown,
        400,
        body=CalendarTaken,
        status=201,
    ),
    _operation(
        "GET",
        CALENDARS,
        _calendars.list_calendars,
        "List calendars",
        CalendarsShown,
        400,
        parameters=(*_PAGE, Parameter("include", "Shared ones and agents': always so.", {"enum": ["all"]})),
    ),
    _operation("GET", CALENDAR, _calendars.read_calendar, "Read a calendar", CalendarShown, 404),
    _operation(
        "PATCH",
        CALENDAR,
        _calendars.update_calendar,
        "Change a calendar",
        CalendarShown,
        400,
        404,
        body=CalendarPatched,
    ),
    _operation("DELETE", CALENDAR, _calendars.delete_calendar, "Remove a calendar", None, 404, status=204),
    _operation("POST", AGENTS, _calendars.create_agent, "Make an agent", AgentShown, 400, body=AgentTaken, status=201),
    _operation("GET", AGENTS, _calendars.list_agents, "List agents", AgentsShown, 400, parameters=_PAGE),
    _operation("GET", AGENT, _calendars.read_agent, "Read an agent", AgentShown, 404),
    _operation(
        "POST",
        f"{AGENT}/calendars",
        _calendars.create_agent_calendar,
        "Make a calendar of an agent",
        CalendarShown,
        400,
        404,
        body=CalendarTaken,
        status=201,
    ),
    _operation(
        "GET",
        f"{AGENT}/calendars",
        _calendars.list_agent_calendars,
        "List the calendars of an agent",
        CalendarsShown,
        400,
        404,
        parameters=_PAGE,
    ),
    _operation(
        "GET",
        f"{AGENT}/events",
        _events.list_agent_events,
        "List the events of an agent",
        EventsShown,
        400,
        404,
        413,
        parameters=(*_PAGE, *_FILTERS),
    ),
    _operation(
        "GET",
        f"{AGENT}/availability",
        _free.agent_availability,
        "When an agent is free",
        AgentAvailabilityShown,
        400,
        404,
        413,
        parameters=_FREE,
    ),
    _operation(
        "POST",
        f"{CALENDAR}/events",
        _events.create_event,
        "Make an event or a hold",
        EventShown,
        400,
        404,
        body=EventTaken,
        status=201,
    ),
    _operation(
        "GET",
        f"{CALENDAR}/events",
        _events.list_events,
        "List the events of a calendar",
        EventsShown,
        400,
        404,
        413,
        parameters=(*_PAGE, *_FILTERS),
    ),
    _operation(
        "GET",
        f"{CALENDAR}/availability",
        _free.calendar_availability,
        "When a calendar is free",
        CalendarAvailabilityShown,
        400,
        404,
        413,
        parameters=_FREE,
    ),
    _operation("GET", _ON_CALENDAR, _events.read_event, "Read an event", EventShown, 404),
    _operation("PATCH", _ON_CALENDAR, _events.update_event, "Change an event", EventShown, 400, 404, body=EventPatched),
    _operation("DELETE", _ON_CALENDAR, _events.delete_calendar_event, "Remove an event", None, 404, status=204),
    _operation("GET", EVENT, _events.read_event_by_id, "Read an event by its id", EventShown, 404),
    _operation(
        "PATCH", EVENT, _events.update_event_by_id, "Change an event by its id", EventShown, 400, 404, body=EventPatched
    ),
    _operation("DELETE", EVENT, _events.delete_event_by_id, "Remove an event by its id", None, 404, status=204),
    _operation("PUT", f"{EVENT}/confirm", _events.confirm_hold, "Confirm a hold", EventShown, 404),
    _operation("PUT", f"{EVENT}/release", _events.release_hold, "Release a hold", EventShown, 404),
    _operation(
        "POST",
        f"{CALENDAR}/ical/rotate",
        feed_routes.rotate_feed,
        "Give a calendar's feed a new address",
        CalendarShown,
        404,
    ),
    Operation(
        "GET",
        f"{ICAL}/{{token}}.ics",
        feed_routes.read_feed,
        "Read a calendar's feed",
        "none",
        {200: Answer("iCalendar", media_type="text/calendar"), 304: Answer("Unchanged")},
        refusals=(404, 503),
        tag="calendar",
        error=schema_of(ErrorShown),
    ),
    *webhook_operations.OPERATIONS,
    *imports.OPERATIONS,
)


def messages_of(frame: Schema) -> tuple[Message, ...]:
    """The typed events of the channels; `frame` is the schema of any channel's event."""
    return tuple(typed(frame, name, summary, schema_of(Told)) for name, summary in SUMMARIES.items())
