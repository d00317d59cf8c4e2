"""The calls about iCal subscriptions (contract 11.2): each write is one commit."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from handlers.broker import broker_of
from handlers.calendar.imports import subscribing
from handlers.calendar.imports.documents import (
    SUBSCRIPTION,
    count_key,
    subscription_index,
    subscription_key,
)
from handlers.calendar.imports.forgetting import forget_events
from handlers.calendar.imports.subscription import IcalSubscription, parse_kept, render_subscription
from handlers.calendar.imports.wire import parse_subscription, parse_subscription_list, parse_subscription_patch
from handlers.calendar.serving import Caller, caller_of, execute, fresh_id, path_id, read_one, read_page, see_agent
from handlers.committing import again_where_gone
from handlers.requests import asked_or_refusal, read_json

_WHAT = "Subscription"


async def create_subscription(request: Request) -> Response:
    """Subscribe a calendar of an agent to a feed; it is polled at once."""
    caller_of(request)
    agent_id = path_id(request, "agent_id", "Agent")
    body = await read_json(request)
    caller, broker = caller_of(request), broker_of(request)
    await see_agent(broker, caller, agent_id)
    asked = parse_subscription(body, broker.site.outbound_allow)
    keys = subscribing.subscribing_keys(caller.tenant, agent_id, asked.calendar_id)
    loaded = (await broker.reader.read(broker.engine.partition(caller.tenant), keys)).loaded
    subscribing.find_own_calendar(caller.tenant, agent_id, asked.calendar_id, caller.agent, loaded)
    place, fresh = caller.place(asked.calendar_id), fresh_id(broker, "ics_")
    most = broker.ical.subscriptions_per_tenant
    decide = partial(subscribing.subscribing, place, agent_id, asked, fresh, most)
    return await execute(request, caller, body, keys, decide, asked.calendar_id)


async def list_subscriptions(request: Request) -> Response:
    """The subscriptions of an agent's calendars, by when they were made."""
    caller, agent_id = caller_of(request), path_id(request, "agent_id", "Agent")
    await see_agent(broker_of(request), caller, agent_id)
    asked = parse_subscription_list(request.query_params.multi_items())
    return await read_page(
        request,
        caller,
        (SUBSCRIPTION, subscription_index(caller.tenant, agent_id, asked.status)),
        asked,
        lambda page: [render_subscription(parse_kept(each.body)) for _, each in page.documents],
    )


async def read_subscription(request: Request) -> Response:
    """A subscription, and how it goes."""
    caller, found = await _seen(request)
    key = subscription_key(caller.tenant, found.id)
    return await read_one(
        request,
        caller,
        [key],
        lambda loaded: render_subscription(
            subscribing.find_subscription(caller.tenant, found.id, caller.agent, loaded)[0]
        ),
        found.calendar_id,
    )


async def update_subscription(request: Request) -> Response:
    """Change a subscription: its URL, its label, or whether it is polled."""
    caller_of(request)
    allow = broker_of(request).site.outbound_allow
    body, asked = await asked_or_refusal(request, lambda body: parse_subscription_patch(body, allow))
    caller, found = await _seen(request)
    decide = partial(subscribing.changing, caller.tenant, found.id, caller.agent, asked)
    key = subscription_key(caller.tenant, found.id)
    return await execute(request, caller, body, [key], decide, found.calendar_id)


async def delete_subscription(request: Request) -> Response:
    """Remove a subscription and its events."""
    caller = caller_of(request)
    return await again_where_gone(request, caller.tenant, caller.grant, None, partial(_delete, request))


async def sync_subscription(request: Request) -> Response:
    """Poll now; what comes of it is told on the calendar's channel."""
    caller, found = await _seen(request)
    decide = partial(subscribing.syncing, caller.tenant, found.id, caller.agent)
    key = subscription_key(caller.tenant, found.id)
    return await execute(request, caller, None, [key], decide, found.calendar_id)


async def _delete(request: Request) -> Response:
    caller, found = await _seen(request)
    keys = [subscription_key(caller.tenant, found.id), count_key(caller.tenant)]
    decide = partial(subscribing.unsubscribing, caller.tenant, found.id, caller.agent)
    answer = await execute(request, caller, None, keys, decide, found.calendar_id)
    await forget_events(broker_of(request), caller.tenant, found.id)
    return answer


async def _seen(request: Request) -> tuple[Caller, IcalSubscription]:
    """Who calls, and the subscription in the path, whose calendar must be known first; raises `NotFound`."""
    caller, subscription_id = caller_of(request), path_id(request, "subscription_id", _WHAT)
    broker, key = broker_of(request), subscription_key(caller.tenant, subscription_id)
    loaded = (await broker.reader.read(broker.engine.partition(caller.tenant), [key])).loaded
    return caller, subscribing.find_subscription(caller.tenant, subscription_id, caller.agent, loaded)[0]
