"""The documents say what calendars do."""

from handlers.asyncapi import render_asyncapi
from handlers.calendar import webhook_operations
from handlers.calendar.describing import operation
from handlers.calendar.events import TYPES
from handlers.calendar.models import CalendarShown
from handlers.calendar.operations import FOLLOW_PATH, OPERATIONS
from handlers.calendar.webhook_routes import list_calendar_webhooks
from handlers.routes import CONNECTIONS_OF_ALL


def test_every_call_that_writes_takes_an_idempotency_key() -> None:
    for each in OPERATIONS:
        assert ("Idempotency-Key" in {name.name for name in each.parameters}) is (each.method != "GET")


def test_every_call_but_the_feed_needs_the_key_of_an_organisation() -> None:
    assert {each.path: each.access for each in OPERATIONS if each.access != "tenant"} == {"/ical/{token}.ics": "none"}


def test_the_typed_events_are_in_the_asyncapi_document() -> None:
    channel = render_asyncapi(CONNECTIONS_OF_ALL, "")["channels"]["calendar"]
    assert channel["address"] == FOLLOW_PATH and list(channel["messages"]) == list(TYPES)


def test_webhooks_have_the_calls_that_the_vendors_client_makes_and_a_replay() -> None:
    one = webhook_operations.WEBHOOK
    assert {f"{each.method} {each.path}" for each in webhook_operations.OPERATIONS} == {
        "POST /v1/webhooks",
        "GET /v1/webhooks",
        *(f"{method} {one}" for method in ("GET", "PATCH", "DELETE")),
        f"GET {one}/deliveries",
        f"POST {one}/replay",
    }


def test_an_operation_that_writes_may_conflict_and_one_that_reads_may_not() -> None:
    reads = operation("GET", "/x", list_calendar_webhooks, "Read", CalendarShown, 404)
    writes = operation("PUT", "/x", list_calendar_webhooks, "Write", None, 404, status=204)
    assert (reads.refusals, writes.refusals) == ((404, 503), (400, 404, 409, 503))
    assert [*reads.answers] == [200] and [*writes.answers] == [204]
