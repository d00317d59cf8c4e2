"""The operations on a channel's events: publish, read, follow, delete."""

from handlers.channels.event_schemas import EVENT, EVENTS, PAGE, PUBLISH, PUBLISHED, SCHEDULED
from handlers.channels.events import delete_event, get_event, get_replies, get_thread
from handlers.channels.poll import poll
from handlers.channels.publish import publish
from handlers.channels.socket import upgrade_required
from handlers.channels.sse import follow_as_events
from handlers.idempotency import IDEMPOTENCY_KEY
from handlers.operations import Answer, Operation, Parameter

CHANNEL = "/api/v1/channels/{channel_id}"
EVENTS_PATH = CHANNEL + "/events"
EVENT_PATH = EVENTS_PATH + "/{event_id}"
SOCKET_PATH = CHANNEL + "/ws"

CURSOR = Parameter("cursor", "Only events after this one: an event's id, or the cursor of an earlier answer.")
TOKEN = Parameter("token", "A channel token, for clients that cannot send an Authorization header.")
TYPES = Parameter("types", "Only events of these types: a comma list.")
TYPE = Parameter("type", "The same as types.")
SINCE = Parameter("since", "Only events created after this time, in ISO 8601.")
LIMIT = Parameter("limit", "How many events at most.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 50})
WAIT = Parameter(
    "wait",
    "Hold an empty answer for this many seconds, until there is an event (long poll).",
    {"type": "integer", "minimum": 0, "maximum": 30, "default": 0},
)
ON_GAP = Parameter(
    "on_gap", "error: answer 410 when events after the cursor are gone.", {"enum": ["page", "error"], "default": "page"}
)
KEY = IDEMPOTENCY_KEY
LAST_EVENT_ID = Parameter("Last-Event-ID", "Wins over cursor; sent by EventSource when it reconnects.", place="header")

POLL_PARAMETERS = (CURSOR, SINCE, TYPES, TYPE, LIMIT, WAIT, ON_GAP, TOKEN)

OPERATIONS = (
    Operation(
        "POST",
        EVENTS_PATH,
        publish,
        "Publish one event or a batch, all or nothing",
        "publish",
        {201: Answer("The events as stored", PUBLISHED), 202: Answer("They wait for their publish_at", SCHEDULED)},
        refusals=(400, 404, 413, 422, 429, 503),
        parameters=(KEY,),
        body=PUBLISH,
        tag="events",
    ),
    Operation(
        "GET",
        EVENTS_PATH,
        poll,
        "Read a page of events",
        "read",
        {200: Answer("A page", PAGE), 304: Answer("Unchanged")},
        refusals=(400, 410, 429, 503),
        parameters=POLL_PARAMETERS,
        tag="events",
    ),
    Operation(
        "GET",
        EVENT_PATH,
        get_event,
        "Read one event",
        "read",
        {200: Answer("The event", EVENT)},
        refusals=(400, 503),
        parameters=(TOKEN,),
        tag="events",
    ),
    Operation(
        "DELETE",
        EVENT_PATH,
        delete_event,
        "Delete one event: its publisher or an admin",
        "publish",
        {204: Answer("Deleted, at every door")},
        refusals=(400, 404, 422, 503),
        parameters=(KEY,),
        tag="events",
    ),
    Operation(
        "GET",
        EVENT_PATH + "/replies",
        get_replies,
        "The direct replies to an event",
        "read",
        {200: Answer("The replies, by id", EVENTS)},
        refusals=(400, 503),
        parameters=(TOKEN,),
        tag="events",
    ),
    Operation(
        "GET",
        EVENT_PATH + "/thread",
        get_thread,
        "All descendants of an event",
        "read",
        {200: Answer("The thread, by id", EVENTS)},
        refusals=(400, 503),
        parameters=(TOKEN,),
        tag="events",
    ),
    Operation(
        "GET",
        CHANNEL + "/sse",
        follow_as_events,
        "Follow the channel as Server-Sent Events",
        "read",
        {200: Answer("Events, until either side ends", media_type="text/event-stream")},
        refusals=(400, 429, 503),
        parameters=(CURSOR, TYPES, TYPE, TOKEN, LAST_EVENT_ID),
        tag="events",
    ),
    Operation(
        "GET",
        SOCKET_PATH,
        upgrade_required,
        "Follow the channel on a WebSocket",
        "none",
        {101: Answer("One event per text frame, until either side ends")},
        refusals=(426,),
        parameters=(CURSOR, TYPES, TYPE, TOKEN),
        tag="events",
    ),
)
