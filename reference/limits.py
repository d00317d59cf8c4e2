"""What one call may ask for, by the schemas of the operations, and the numbers that are fixed in the code.

The rows of the fixed numbers are chosen by hand: a limit that is not listed here is missing from the page, but one that
is listed has the code's value.
"""

from typing import NamedTuple

from broker import change, deliveries, endpoints, pages, scheduled, schemas, targets, tokens, trust
from broker.storage import api_keys, log
from handlers.calendar import availability, feed_routes, holds
from handlers.calendar import decisions as calendar_decisions
from handlers.calendar import delivery_rows as calendar_deliveries
from handlers.calendar import models as calendar_models
from handlers.cuey import checks, crons
from handlers.cuey import documents as cuey_documents
from handlers.cuey import sending as cuey_sending
from handlers.lifecycle import documents as lifecycle_documents
from handlers.lifecycle import models as lifecycle_models
from handlers.live import documents as live_documents
from handlers.live import live_event
from handlers.operations import Operation
from handlers.routes import OPERATIONS
from reference.markdown import code, render_table
from reference.schemas import members_of, render_bounds

IN_SETTINGS = ("Idempotency-Key",)
TAGS = {
    "channels": ("channels", "events", "feeds", "webhooks", "tokens", "keys", "server", "operation"),
    "lifecycle": ("event lifecycle",),
    "live": ("live events",),
    "calendars": ("calendar",),
    "cuey": ("cuey",),
}
"""By API, the tags of its operations."""


class Fixed(NamedTuple):
    """A number that no setting changes: of what, how many, and what is answered beyond it."""

    what: str
    value: int
    unit: str
    beyond: str


FIXED: dict[str, tuple[Fixed, ...]] = {
    "channels": (
        Fixed("a token", tokens.MAX_TOKEN, "characters", "401; 400 where it would be made"),
        Fixed("keys that a server trusts beside its own", trust.MAX_KEYS, "", "409"),
        Fixed("types in the filter of a read", pages.MAX_TYPES, "", "400"),
        Fixed("entries that a filtered read looks at", log.MAX_SCAN, "", "`has_more`, with the cursor to go on from"),
        Fixed("events of a thread", log.MAX_THREAD_EVENTS, "", "the rest is left out"),
        Fixed("levels of a thread", log.MAX_THREAD_DEPTH, "", "the rest is left out"),
        Fixed("mismatches with a schema that are told", schemas.MAX_DETAILS, "", "the rest is left out"),
        Fixed("how far ahead a publish may be scheduled", scheduled.MOST_AHEAD_MS, "ms", "400"),
        Fixed("how far back its time may lie, by clocks that differ", scheduled.MOST_BEHIND_MS, "ms", "400"),
        Fixed("the URL of a webhook", targets.MAX_URL, "characters", "400"),
        Fixed("how long a webhook may be asked to live", endpoints.MAX_TTL_S, "s", "counts as that"),
        Fixed(
            "a subject, by which deliveries are ordered",
            deliveries.MAX_SUBJECT,
            "characters",
            "in the order of the channel",
        ),
        Fixed("API keys of a tenant", api_keys.MOST_KEYS, "", "409"),
        Fixed("an event that another API tells", change.MAX_EVENT_BYTES, "bytes", "413"),
    ),
    "lifecycle": (
        Fixed("arguments of a call, and ids of an argument", lifecycle_models.MOST, "", "400"),
        Fixed("`metadata`", lifecycle_models.MOST_METADATA_BYTES, "bytes", "400"),
        Fixed("open events of a tenant", lifecycle_documents.MOST_OPEN, "", "429"),
    ),
    "live": (
        Fixed("watch tokens of an event", live_documents.MOST_TOKENS, "", "429"),
        Fixed("sessions of an event", live_event.MOST_SESSIONS, "", "403 for the encoder"),
    ),
    "calendars": (
        Fixed("active holds of a calendar", holds.MOST_HOLDS, "", "429"),
        Fixed("the shortest hold", calendar_decisions.LEAST_HOLD_MS, "ms", "400"),
        Fixed("the longest hold", calendar_decisions.MOST_HOLD_MS, "ms", "400"),
        Fixed("`metadata`", calendar_models.MOST_METADATA, "characters as JSON", "400"),
        Fixed("reminders of an event", calendar_models.MOST_REMINDERS, "", "400"),
        Fixed("how long before its start one may be", calendar_models.MOST_MINUTES, "minutes", "400"),
        Fixed("the range of an availability", availability.MOST_RANGE_MS, "ms", "400"),
        Fixed("events of a feed", feed_routes.MOST_EVENTS, "", "the rest is left out"),
        Fixed("finished deliveries of a webhook that are kept", calendar_deliveries.MOST_FINISHED, "", "the oldest go"),
    ),
    "cuey": (
        Fixed("pending events of a team", cuey_documents.MOST_PENDING, "", "400"),
        Fixed("crons of a team", cuey_documents.MOST_CRONS, "", "400"),
        Fixed("events of a cron that wait, in a day", crons.MOST_AHEAD, "", "made later"),
        Fixed("`cron_expression`", crons.MAX_EXPRESSION, "characters", "400"),
        Fixed("`webhook_url`", checks.MAX_URL, "characters", "400"),
        Fixed("`headers`", checks.MAX_HEADERS, "", "400"),
        Fixed("`headers`, together", checks.MAX_HEADERS_BYTES, "bytes", "400"),
        Fixed("`payload`", checks.MAX_PAYLOAD_BYTES, "bytes", "400"),
        Fixed("what is kept of an answer", cuey_sending.KEPT_BYTES, "bytes", "cut"),
    ),
}
"""By API. What is answered beyond each is tested where the limit is."""


def render_fixed(api: str) -> str:
    """The numbers that are fixed."""
    rows = [[each.what, f"{each.value:,} {each.unit}".strip(), each.beyond] for each in FIXED[api]]
    return render_table(["Of", "At most", "Beyond"], rows)


def render_calls(api: str) -> str:
    """The bounds of bodies and queries, by call."""
    rows = [[code(f"{each.method} {each.path}"), said] for each in OPERATIONS if (said := _bounds_of(each, api))]
    return render_table(["Call", "Bounds"], rows)


def _bounds_of(operation: Operation, api: str) -> str:
    if operation.tag not in TAGS[api]:
        return ""
    members = [(each.path, each.schema) for each in members_of(operation.body or {})]
    asked = [(each.name, each.schema) for each in operation.parameters if each.name not in IN_SETTINGS]
    said = [(name, render_bounds(schema)) for name, schema in (*members, *asked)]
    return "; ".join(f"{code(name)} {bounds}" for name, bounds in said if bounds)
