"""From a body to plans and ids, and from events to a body (contract sections 2 and 3). Pure.

What is wrong with a body is told whole: each detail names the argument, the member, and the id where there is one.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from broker.errors import Invalid
from handlers.lifecycle.machine import LifecycleEvent, Plan, Schedule
from handlers.lifecycle.models import (
    MOST,
    BroadcastShown,
    CreateTaken,
    EventShown,
    EventsShown,
    PlanTaken,
    QueriesTaken,
)
from handlers.model_faults import fault_of

MOST_DETAILS = 20
MOST_ID_CHARS = 64

M = TypeVar("M", bound=BaseModel)
Detail = dict[str, Any]


class Named(NamedTuple):
    """An id, and the argument that named it first."""

    argument: int
    id: str


def parse_create(body: Any, fresh_id: Callable[[], str]) -> tuple[Plan, ...]:
    """The plans of a Create; `fresh_id` gives a UUID where none was sent. Raises `Invalid`."""
    taken = _parse(CreateTaken, body)
    plans = tuple(_plan(each, fresh_id) for each in taken.arguments)
    details = [*_bad_times(plans), *_twice(plans)]
    if details:
        raise invalid(details)
    return plans


def parse_queries(body: Any) -> tuple[Named, ...]:
    """The ids that a call means, each once, in the order of their mention. Raises `Invalid`."""
    taken = _parse(QueriesTaken, body)
    named = [
        Named(number, event_id)
        for number, argument in enumerate(taken.arguments)
        for condition in argument.query.conditions
        for event_id in condition.ids
    ]
    if len(named) > MOST:
        raise invalid([{"field": "arguments", "message": f"there may be at most {MOST} ids in all"}])
    first = {each.id: each for each in reversed(named)}
    return tuple(each for each in named if first[each.id] is each)


def render_event(event: LifecycleEvent) -> dict[str, Any]:
    """An event as callers see it. `access_time` and `update_time` stay as they were at Create, as in the seed."""
    plan, made_ns = event.plan, event.create_time_ns
    shown = EventShown(
        id=event.id,
        chat_id=event.chat_id,
        room_id=event.room_id,
        kind=plan.kind.name,  # type: ignore[arg-type]
        status=event.status.name,  # type: ignore[arg-type]
        metadata=dict(plan.metadata),
        schedule=plan.schedule.name,  # type: ignore[arg-type]
        broadcast=BroadcastShown(orientation=plan.orientation.name),  # type: ignore[arg-type]
        planned_start_time=plan.planned_start_time_ns,
        planned_finish_time=plan.planned_finish_time_ns,
        start_time=event.start_time_ns,
        cancel_time=event.cancel_time_ns,
        finish_time=event.finish_time_ns,
        access_time=made_ns,
        create_time=made_ns,
        update_time=made_ns,
    )
    return shown.model_dump()


def render_events(events: Iterable[LifecycleEvent]) -> dict[str, Any]:
    """The body of a success."""
    return {name: [render_event(event) for event in events] for name in EventsShown.model_fields}


def invalid(details: Sequence[Detail]) -> Invalid:
    """The refusal that tells these details, and the first of them in its text."""
    first = details[0]
    where = f"arguments[{first['argument']}]" if "argument" in first else ""
    place = ".".join(part for part in (where, first.get("field", "")) if part)
    return Invalid(
        f"{place or 'The body'}: {first['message']}", code="invalid_argument", details=details[:MOST_DETAILS]
    )


def _parse(model: type[M], body: Any) -> M:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise invalid([_detail(each, body) for each in error.errors(include_url=False)]) from None


def _detail(error: Any, body: Any) -> Detail:
    place = list(error["loc"])
    detail: Detail = {"message": fault_of(error)}
    if len(place) > 1 and place[0] == "arguments":
        detail |= {"argument": place[1], **_id_of(body["arguments"][place[1]])}
        place = place[2:]
    return detail | ({"field": _field(place)} if place else {})


def _id_of(argument: Any) -> Detail:
    """The id that an argument of Create was sent with, where it is a text that can be told."""
    value = argument.get("id") if isinstance(argument, dict) else None
    return {"id": value} if isinstance(value, str) and len(value) <= MOST_ID_CHARS else {}


def _field(place: Sequence[str | int]) -> str:
    parts = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in place)
    return parts.removeprefix(".")


def _plan(taken: PlanTaken, fresh_id: Callable[[], str]) -> Plan:
    return Plan(
        id=taken.id or fresh_id(),
        kind=taken.kind,
        schedule=taken.schedule,
        orientation=taken.broadcast.orientation,
        metadata=taken.metadata,
        planned_start_time_ns=taken.planned_start_time,
        planned_finish_time_ns=taken.planned_finish_time,
    )


def _bad_times(plans: Sequence[Plan]) -> Iterable[Detail]:
    for number, plan in enumerate(plans):
        told = {"argument": number, "id": plan.id}
        start, finish = plan.planned_start_time_ns, plan.planned_finish_time_ns
        if plan.schedule is Schedule.ScheduleUnplanned:
            for field, value in (("planned_start_time", start), ("planned_finish_time", finish)):
                if value:
                    yield {**told, "field": field, "message": "is for SchedulePlanned only"}
        elif not start:
            yield {**told, "field": "planned_start_time", "message": "is required with SchedulePlanned"}
        elif finish and finish <= start:
            yield {**told, "field": "planned_finish_time", "message": "must be later than planned_start_time"}


def _twice(plans: Sequence[Plan]) -> Iterable[Detail]:
    seen: set[str] = set()
    for number, plan in enumerate(plans):
        if plan.id in seen:
            yield {"argument": number, "id": plan.id, "field": "id", "message": "is the id of an earlier argument too"}
        seen.add(plan.id)
