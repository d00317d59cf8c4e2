"""The operations of the organisation's webhooks."""

from handlers.calendar import delivery_routes, webhook_routes
from handlers.calendar.describing import operation
from handlers.calendar.webhook_models import (
    DeliveriesShown,
    ReplayTaken,
    WebhookMade,
    WebhookPatched,
    WebhookShown,
    WebhooksShown,
    WebhookTaken,
    WebhookWhole,
)
from handlers.operations import Parameter

WEBHOOKS = "/v1/webhooks"
WEBHOOK = f"{WEBHOOKS}/{{calendar_webhook_id}}"

_PAGE = (
    Parameter("limit", "20 without.", {"type": "integer", "minimum": 1, "maximum": 100}),
    Parameter("offset", "How many to pass over.", {"type": "integer", "minimum": 0, "maximum": 10**9}),
)
_DELIVERIES = (
    *_PAGE,
    Parameter("status", "Of this status only.", {"enum": ["pending", "delivered", "failed"]}),
    Parameter("include_payload", "Show what was sent.", {"enum": ["true", "false"]}),
)

OPERATIONS = (
    operation(
        "POST",
        WEBHOOKS,
        webhook_routes.create_calendar_webhook,
        "Make a webhook",
        WebhookMade,
        400,
        429,
        body=WebhookTaken,
        status=201,
    ),
    operation(
        "GET", WEBHOOKS, webhook_routes.list_calendar_webhooks, "List webhooks", WebhooksShown, 400, parameters=_PAGE
    ),
    operation("GET", WEBHOOK, webhook_routes.read_calendar_webhook, "Read a webhook", WebhookWhole, 404),
    operation(
        "PATCH",
        WEBHOOK,
        webhook_routes.update_calendar_webhook,
        "Change a webhook",
        WebhookShown,
        400,
        404,
        body=WebhookPatched,
    ),
    operation(
        "DELETE", WEBHOOK, webhook_routes.delete_calendar_webhook, "Remove a webhook", None, 400, 404, status=204
    ),
    operation(
        "GET",
        f"{WEBHOOK}/deliveries",
        delivery_routes.list_calendar_deliveries,
        "List the deliveries of a webhook",
        DeliveriesShown,
        400,
        404,
        parameters=_DELIVERIES,
    ),
    operation(
        "POST",
        f"{WEBHOOK}/replay",
        delivery_routes.replay_calendar_webhook,
        "Deliver everything after a cursor, again where it was",
        WebhookShown,
        400,
        404,
        body=ReplayTaken,
    ),
)
