"""The organisation's webhooks: what they are, how they change, and how they are shown (contract section 10, D20). Pure.

They are endpoints of the log of the organisation, beside those that the channels API may have there; neither API sees
the other's. Their `event_types` are the vendor's names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from broker.endpoints import Endpoint, Owner, Registered, alive, of_form
from broker.errors import NotFound, TooMany
from broker.ids import render_time
from broker.pages import Types
from broker.progress import Progress
from broker.strictjson import render_json
from handlers.calendar.calendars import org_id_of
from handlers.calendar.events import VENDOR_NAMES
from handlers.calendar.webhook_models import WebhookPatched, WebhookTaken

FORM = "calendar"
FOREVER_MS = 253_402_300_799_000
"""The end of the year 9999: they have no end of their own."""

TYPES = {name: kind for kind, name in VENDOR_NAMES.items()}


def made_of(asked: WebhookTaken, webhook_id: str, tenant: str, url: str) -> Endpoint:
    """A new webhook; the time of its creation is set by `adding`."""
    owner = Owner(org_id_of(tenant), is_anonymous=False)
    return Endpoint(webhook_id, url, tuple(dict.fromkeys(asked.events)), owner, 0, FOREVER_MS, form=FORM)


def adding(made: Endpoint, most: int, registered: Registered, now_ms: int) -> tuple[Registered, Endpoint]:
    """The endpoints with a new webhook; raises `TooMany`."""
    current = alive(registered, now_ms)
    if len(of_form(current, FORM)) >= most:
        raise TooMany(f"An organisation has at most {most} webhooks", type="quota_exceeded")
    added = replace(made, created_ms=now_ms)
    return (*current, added), added


def patching(
    webhook_id: str, changes: Mapping[str, Any], off: int | None, registered: Registered, now_ms: int
) -> tuple[Registered, Endpoint]:
    """The endpoints with a webhook changed; raises `NotFound`.

    `off` is the activation whose deliveries ended because they failed, None where they did not: of one that is not
    active, or was of that activation, `active: true` makes a new one, which begins at the tail.
    """
    current = alive(registered, now_ms)
    before = find(current, webhook_id)
    own = {name: value for name, value in changes.items() if name != "active"}
    after = replace(before, **own)
    if changes.get("active") is False:
        after = replace(after, is_active=False)
    elif changes.get("active") and (not before.is_active or before.activation == off):
        after = replace(after, is_active=True, activation=before.activation + 1)
    return tuple(after if each.id == webhook_id else each for each in current), after


def removing(webhook_id: str, registered: Registered, now_ms: int) -> tuple[Registered, None]:
    """The endpoints without a webhook; raises `NotFound`."""
    current = alive(registered, now_ms)
    gone = find(current, webhook_id)
    return tuple(each for each in current if each != gone), None


def find(endpoints: Registered, webhook_id: str) -> Endpoint:
    """A webhook of the organisation; raises `NotFound`."""
    for each in of_form(endpoints, FORM):
        if each.id == webhook_id:
            return each
    raise NotFound("Webhook not found")


def changes_of(asked: WebhookPatched, url: str) -> dict[str, Any]:
    """What a PATCH changes, as the endpoint has it; `url` is its URL in the normal form."""
    changes: dict[str, Any] = {name: getattr(asked, name) for name in asked.model_fields_set & {"active"}}
    if "url" in asked.model_fields_set:
        changes["url"] = url
    if "events" in asked.model_fields_set:
        changes["event_types"] = tuple(dict.fromkeys(asked.events))
    return changes


def types_of(endpoint: Endpoint) -> Types:
    """The types of channel events that a webhook gets; a name of which nothing is told stands for itself."""
    return frozenset(render_json(TYPES.get(name, name)) for name in endpoint.event_types or ())


def off_of(progress: Progress) -> int | None:
    """The activation whose deliveries ended because they failed."""
    return progress.activation if progress.paused == "off" else None


def show_webhook(tenant: str, endpoint: Endpoint, progress: Progress) -> dict[str, Any]:
    """How a webhook is shown; what its deliveries came to counts while they are of its present activation."""
    own = progress if progress.activation == endpoint.activation else Progress(progress.cursor)
    first_ms = own.first_failure_ms
    return {
        "id": endpoint.id,
        "org_id": org_id_of(tenant),
        "url": endpoint.url,
        "events": list(endpoint.event_types or ()),
        "active": endpoint.is_active and own.paused != "off",
        "consecutive_failures": own.failures,
        "first_failure_at": render_time(first_ms) if first_ms else None,
        "created_at": render_time(endpoint.created_ms),
    }


def show_gaps(gaps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What of the organisation's channel was not delivered."""
    return [{name: each[name] for name in ("after", "until", "at")} for each in gaps]
