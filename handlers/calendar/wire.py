"""From bodies and queries to values (contract sections 3 to 6). Pure; refusals name the parameter."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from broker.errors import Invalid, NotFound
from handlers.calendar.models import CalendarPatched, CalendarTaken, EventPatched, EventTaken
from handlers.calendar.times import parse_instant
from handlers.calendar.webhook_models import WebhookPatched
from handlers.model_faults import fault_of

MOST_OFFSET = 10**9
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)

M = TypeVar("M", bound=BaseModel)


class Asked(NamedTuple):
    """A page of a list and its filters; None lets everything through. `before_ms` is exclusive."""

    limit: int
    offset: int
    status: str | None = None
    source: str | None = None
    after_ms: int | None = None
    before_ms: int | None = None


def parse_body(model: type[M], body: Any) -> M:
    """What a body says; raises `Invalid` with the first member that is wrong."""
    if not isinstance(body, dict):
        raise Invalid("The body must be a JSON object")
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(each) for each in first["loc"] if isinstance(each, int) or each in model.model_fields)
        raise Invalid(f"{name}: {fault_of(first)}", param=name or None) from None


def parse_event(body: Any) -> EventTaken:
    """A new event; raises `Invalid`. What belongs to holds is of a hold only."""
    taken = parse_body(EventTaken, body)
    given = taken.model_fields_set
    if parse_instant(taken.end_time) <= parse_instant(taken.start_time):
        wrong("end_time", "must be after start_time, by a millisecond at least")
    for name in ("hold_expires_at", "hold_priority"):
        if taken.status != "hold" and name in given:
            wrong(name, "is of an event with the status hold only")
    if taken.status == "hold" and "hold_expires_at" not in given:
        wrong("hold_expires_at", "is required of a hold")
    return taken


def parse_event_patch(body: Any) -> EventPatched:
    """A change of an event; raises `Invalid`."""
    if isinstance(body, dict) and body.get("status") == "hold":
        wrong("status", "cannot become hold")
    return _some(parse_body(EventPatched, body))


def parse_calendar(body: Any) -> CalendarTaken:
    """A new calendar; raises `Invalid`."""
    return parse_body(CalendarTaken, body)


def parse_calendar_patch(body: Any) -> CalendarPatched:
    """A change of a calendar; raises `Invalid`."""
    return _some(parse_body(CalendarPatched, body))


def parse_webhook_patch(body: Any) -> WebhookPatched:
    """A change of a webhook; raises `Invalid`."""
    return _some(parse_body(WebhookPatched, body))


def parse_list(query: Sequence[tuple[str, str]], *, default: int = 50, most: int = 200) -> Asked:
    """Which page of a list without filters; raises `Invalid`."""
    limit = _number(query, "limit", default, 1, most)
    return Asked(limit, _number(query, "offset", 0, 0, MOST_OFFSET))


def parse_event_list(query: Sequence[tuple[str, str]]) -> Asked:
    """Which page of events; raises `Invalid`."""
    page = parse_list(query)
    return page._replace(
        status=one_of(query, "status", ("confirmed", "tentative", "cancelled", "hold")),
        source=one_of(query, "source", ("internal", "external_ical")),
        after_ms=instant(query, "start_after"),
        before_ms=instant(query, "start_before"),
    )


def one_of(query: Sequence[tuple[str, str]], name: str, choices: Sequence[str]) -> str | None:
    """A parameter that is one of these; raises `Invalid`."""
    text = value_of(query, name)
    if text is not None and text not in choices:
        wrong(name, f"must be one of {', '.join(choices)}")
    return text


def instant(query: Sequence[tuple[str, str]], name: str) -> int | None:
    """A parameter that is a time, in ms; raises `Invalid`."""
    text = value_of(query, name)
    if text is None:
        return None
    try:
        # A plus that was not escaped came as a blank.
        return parse_instant(text.replace(" ", "+"))
    except ValueError as error:
        wrong(name, str(error))


def value_of(query: Sequence[tuple[str, str]], name: str) -> str | None:
    """The one value of a parameter; raises `Invalid` where there are several."""
    values = [value for key, value in query if key == name]
    if len(values) > 1:
        wrong(name, "is given more than once")
    return values[0] if values else None


def check_id(text: str, what: str) -> str:
    """An id in a path as it is; raises `NotFound` for what can be none."""
    if _ID.fullmatch(text):
        return text
    raise NotFound(f"{what} not found")


def wrong(name: str, message: str) -> NoReturn:
    """Refuse a member or a parameter."""
    raise Invalid(f"{name} {message}", param=name)


def _some(patched: M) -> M:
    if not patched.model_fields_set:
        raise Invalid("At least one member to change is needed")
    return patched


def _number(query: Sequence[tuple[str, str]], name: str, default: int, lowest: int, highest: int) -> int:
    text = value_of(query, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and lowest <= int(text) <= highest):
        wrong(name, f"must be a whole number from {lowest} to {highest}")
    return int(text)
