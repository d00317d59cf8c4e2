"""How a lifecycle event is kept: its document, the index of those that are open, and when it ends. Pure.

Nothing deletes an event, so one that is finished or canceled is kept for a year from then. Open ones are kept until
they end, and a tenant may have `MOST_OPEN` of them.
"""

from typing import Any

from broker.change import DocumentKey, Entry, Put
from broker.channels import DAY_MS
from broker.strictjson import parse_stored as parse_json
from broker.strictjson import render_json
from handlers.lifecycle.machine import Kind, LifecycleEvent, Orientation, Plan, Schedule, Status

KIND = "lifecycle-event"
KEPT_DAYS = 365
MOST_OPEN = 10_000
"""How many open events a tenant may have. Calls at the same moment may go over it, by what each of them makes."""


def key_of(tenant: str, event_id: str) -> DocumentKey:
    """The document of a tenant's event: ids are the tenant's own, so that another's are unknown here."""
    return DocumentKey(KIND, f"{tenant}/{event_id}")


def open_index(tenant: str) -> str:
    """The index of a tenant's events that have not ended, by when they were created."""
    return f"lifecycle-open/{tenant}"


def put_of(tenant: str, event: LifecycleEvent, expected: int) -> Put:
    """The document that is to be written, in place of the version `expected`."""
    key, body = key_of(tenant, event.id), render_stored(event)
    if event.status.is_terminal:
        return Put(key, expected, body, (), event.latest_ns // 1_000_000 + KEPT_DAYS * DAY_MS)
    return Put(key, expected, body, (Entry(open_index(tenant), event.create_time_ns // 1_000_000, key.id),))


def render_stored(event: LifecycleEvent) -> bytes:
    """The body of the document; integers are exact."""
    plan = {name: getattr(event.plan, name) for name in Plan.__slots__}
    own = {name: getattr(event, name) for name in LifecycleEvent.__slots__}
    return render_json(_plain({**own, "plan": _plain(plan)}))


def parse_stored(body: bytes) -> LifecycleEvent:
    """The event of a kept document; trusts its input."""
    own: dict[str, Any] = parse_json(body)
    plan: dict[str, Any] = own.pop("plan")
    plan |= {
        "kind": Kind[plan["kind"]],
        "schedule": Schedule[plan["schedule"]],
        "orientation": Orientation[plan["orientation"]],
    }
    return LifecycleEvent(**{**own, "plan": Plan(**plan), "status": Status[own["status"]]})


def _plain(members: dict[str, Any]) -> dict[str, Any]:
    enums = Kind | Schedule | Orientation | Status
    return {name: value.name if isinstance(value, enums) else value for name, value in members.items()}
