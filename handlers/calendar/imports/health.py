"""How far availability can be trusted: whether what is subscribed to is current (contract section 12). Pure.

What was merged once goes on to block, also when its feed fails or is paused; then the answer says that it may be old.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from broker.ids import render_time
from handlers.calendar.imports.subscription import IcalSubscription

External = Literal["current", "stale", "partial", "unavailable"]
CODE = "availability_incomplete"


class Health(NamedTuple):
    """What all subscriptions together are, the oldest of when they were synced, and a sentence on each that is not
    current."""

    external: External
    last_synced_ms: int | None
    warnings: list[str]


def health_of(subscriptions: Sequence[IcalSubscription], now_ms: int, stale_after_ms: int) -> Health:
    """`stale_after_ms`: so long after it was synced a feed that is polled counts as current."""
    found = [(each, _state_of(each, now_ms, stale_after_ms)) for each in subscriptions]
    states = {state for _, state in found}
    synced = [each.last_synced_ms for each in subscriptions if each.last_synced_ms is not None]
    warnings = [_warning(each, state) for each, state in found if state != "current"]
    return Health(_together(states), min(synced, default=None), warnings)


def render_health(health: Health) -> dict[str, Any]:
    """Its members of the answers about availability; what is kept here is always there, so `unavailable` is partial."""
    synced_ms = health.last_synced_ms
    state = {"current": "complete", "unavailable": "partial"}.get(health.external, health.external)
    return {
        "availability_state": state,
        "sources": {
            "chronary": "current",
            "external": health.external,
            "last_synced_at": None if synced_ms is None else render_time(synced_ms),
        },
        "warnings": [{"code": CODE, "message": each} for each in health.warnings],
    }


def _state_of(subscription: IcalSubscription, now_ms: int, stale_after_ms: int) -> External:
    if subscription.last_synced_ms is None:
        return "unavailable"
    is_late = now_ms - subscription.last_synced_ms > stale_after_ms
    if subscription.status != "active" or is_late:
        return "stale"
    return "partial" if subscription.last_error is not None else "current"


def _together(states: set[External]) -> External:
    if states <= {"current"}:
        return "current"
    if states == {"unavailable"}:
        return "unavailable"
    return "partial" if states & {"unavailable", "partial"} else "stale"


def _warning(subscription: IcalSubscription, state: External) -> str:
    name = f"The iCal subscription {subscription.id}"
    match state:
        case "unavailable":
            return f"{name} was not read yet"
        case "partial":
            return f"{name}: {subscription.last_error}"
        case _:
            return f"{name} is {'late' if subscription.status == 'active' else subscription.status}"
