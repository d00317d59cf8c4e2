"""The operations of iCal subscriptions."""

from handlers.calendar.describing import operation
from handlers.calendar.imports import routes
from handlers.calendar.imports.models import (
    SubscriptionPatched,
    SubscriptionShown,
    SubscriptionsShown,
    SubscriptionTaken,
    SyncShown,
)
from handlers.operations import Parameter

SUBSCRIPTIONS = "/v1/ical-subscriptions"
SUBSCRIPTION = f"{SUBSCRIPTIONS}/{{subscription_id}}"
OF_AGENT = "/v1/agents/{agent_id}/ical-subscriptions"

_LIST = (
    Parameter("status", "Of this status only.", {"enum": ["active", "error", "paused"]}),
    Parameter("limit", "50 without.", {"type": "integer", "minimum": 1, "maximum": 200}),
    Parameter("offset", "How many to pass over.", {"type": "integer", "minimum": 0, "maximum": 10**9}),
)

OPERATIONS = (
    operation(
        "POST",
        OF_AGENT,
        routes.create_subscription,
        "Subscribe a calendar of an agent to an iCal feed",
        SubscriptionShown,
        400,
        404,
        429,
        body=SubscriptionTaken,
        status=201,
    ),
    operation(
        "GET",
        OF_AGENT,
        routes.list_subscriptions,
        "List the iCal subscriptions of an agent",
        SubscriptionsShown,
        400,
        404,
        parameters=_LIST,
    ),
    operation("GET", SUBSCRIPTION, routes.read_subscription, "Read an iCal subscription", SubscriptionShown, 404),
    operation(
        "PATCH",
        SUBSCRIPTION,
        routes.update_subscription,
        "Change an iCal subscription",
        SubscriptionShown,
        400,
        404,
        body=SubscriptionPatched,
    ),
    operation(
        "DELETE",
        SUBSCRIPTION,
        routes.delete_subscription,
        "Remove an iCal subscription with its events",
        None,
        404,
        status=204,
    ),
    operation(
        "POST", f"{SUBSCRIPTION}/sync", routes.sync_subscription, "Poll an iCal feed now", SyncShown, 404, status=202
    ),
)
