"""The calls about the organisation's webhooks (contract section 10): each change is one step, answered once a key."""

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.change import Answer
from broker.channels import ChannelRecord
from broker.delivery_signing import secret_of
from broker.endpoints import Endpoint, Registered, of_form
from broker.errors import Refusal
from broker.progress import Progress
from broker.storage.deliveries import name_of
from broker.storage.scripts import Keep
from handlers.broker import broker_of
from handlers.calendar.events import org_of
from handlers.calendar.serving import Caller, fresh_id, organisation_of
from handlers.calendar.webhook_models import WebhookTaken
from handlers.calendar.webhook_serving import (
    Own,
    gaps_of,
    keep_place,
    loaded_of,
    own_webhook,
    place_of,
    progress_of,
    target_of,
)
from handlers.calendar.webhooks import (
    FORM,
    adding,
    changes_of,
    made_of,
    off_of,
    patching,
    removing,
    show_gaps,
    show_webhook,
)
from handlers.calendar.wire import parse_body, parse_list, parse_webhook_patch
from handlers.committing import refused_on
from handlers.fresh_record import on_fresh_record
from handlers.idempotency import DONE, Act, Keeping, json_kept, once, state_answer
from handlers.requests import asked_or_refusal, read_json

Deciding = Callable[[Registered, int], tuple[Registered, Endpoint]]


async def create_calendar_webhook(request: Request) -> Response:
    """A new webhook: it is told of what happens from now on."""
    organisation_of(request)
    body = await read_json(request)
    caller, broker = organisation_of(request), broker_of(request)
    asked = parse_body(WebhookTaken, body)
    made = made_of(asked, fresh_id(broker, "whk_"), caller.tenant, target_of(broker, asked.url))

    def answer(channel: ChannelRecord, endpoint: Endpoint) -> Answer:
        shown = show_webhook(caller.tenant, endpoint, Progress(channel.start))
        return json_kept({**shown, "secret": secret_of(broker.signing_key, endpoint.id)}, 201, is_secret=True)

    async def act(keeping: Keeping) -> Answer:
        return await _changed(request, caller, keeping, partial(adding, made, broker.calendar.webhooks), answer)

    return await _once(request, caller, body, act)


async def list_calendar_webhooks(request: Request) -> Response:
    """The organisation's webhooks by when they were made."""
    caller, broker = organisation_of(request), broker_of(request)
    asked = parse_list(request.query_params.multi_items(), default=20, most=100)

    async def listed() -> Response:
        channel = await broker.channels.ensure(org_of(caller.tenant))
        endpoints = of_form(await broker.endpoints.list(channel), FORM)
        page = endpoints[asked.offset : asked.offset + asked.limit]
        loaded = await loaded_of(broker, channel, page)
        data = [show_webhook(caller.tenant, each, progress_of(channel, each, loaded)) for each in page]
        shown = {"data": data, "total": len(endpoints), "limit": asked.limit, "offset": asked.offset}
        return state_answer(shown, loaded.tail)

    return await on_fresh_record(broker, org_of(caller.tenant).id, listed)


async def read_calendar_webhook(request: Request) -> Response:
    """A webhook, up to where everything was delivered, and what was not."""
    broker, own = broker_of(request), await own_webhook(request)
    loaded, gaps = await loaded_of(broker, own.channel, [own.endpoint]), await gaps_of(broker, own)
    progress = progress_of(own.channel, own.endpoint, loaded, own.following.cursor)
    shown = show_webhook(own.caller.tenant, own.endpoint, progress)
    return state_answer({**shown, "cursor": place_of(own, progress), "gaps": show_gaps(gaps)}, loaded.tail)


async def update_calendar_webhook(request: Request) -> Response:
    """Change a webhook; one that becomes active again goes on from the present end of the channel."""
    await own_webhook(request)
    body, asked = await asked_or_refusal(request, parse_webhook_patch)
    broker, own = broker_of(request), await own_webhook(request)
    if isinstance(asked, Refusal):
        raise asked
    url = target_of(broker, asked.url) if "url" in asked.model_fields_set else ""
    changes = changes_of(asked, url)

    async def act(keeping: Keeping) -> Answer:
        await keep_place(broker, own)
        progress = progress_of(own.channel, own.endpoint, await loaded_of(broker, own.channel, [own.endpoint]))
        decide = partial(patching, own.endpoint.id, changes, off_of(progress))

        def answer(_: ChannelRecord, endpoint: Endpoint) -> Answer:
            return json_kept(show_webhook(own.caller.tenant, endpoint, progress))

        return await _changed(request, own.caller, keeping, decide, answer)

    return await _and_marked(request, own, await _once(request, own.caller, body, act))


async def delete_calendar_webhook(request: Request) -> Response:
    """Remove a webhook: nothing is sent to it any more."""
    caller, broker = organisation_of(request), broker_of(request)

    async def act(keeping: Keeping) -> Answer:
        own = await own_webhook(request)
        decide = partial(removing, own.endpoint.id)
        await on_fresh_record(
            broker,
            own.channel.id,
            lambda: broker.endpoints.change(own.channel, decide, lambda _: keeping.of(DONE)),
        )
        await broker.deliveries.mark(name_of(own.channel, own.endpoint.id))
        return DONE

    return await _once(request, caller, None, act)


async def _changed(
    request: Request,
    caller: Caller,
    keeping: Keeping,
    decide: Deciding,
    answer: Callable[[ChannelRecord, Endpoint], Answer],
) -> Answer:
    broker = broker_of(request)

    async def change() -> Answer:
        channel = await broker.channels.ensure(org_of(caller.tenant))

        def keep(endpoint: Endpoint) -> Keep | None:
            return keeping.of(answer(channel, endpoint))

        return answer(channel, await broker.endpoints.change(channel, decide, keep))

    return await on_fresh_record(broker, org_of(caller.tenant).id, change)


async def _once(request: Request, caller: Caller, body: Any, act: Act) -> Response:
    partition, refuse = broker_of(request).engine.partition(caller.tenant), partial(refused_on, request.scope)
    return await once(request, caller.grant, body, partition, act, refuse=refuse)


async def _and_marked(request: Request, own: Own, response: Response) -> Response:
    """Have the webhook looked at: also after an answer that is given again, as who died before this asks again."""
    await broker_of(request).deliveries.mark(name_of(own.channel, own.endpoint.id))
    return response
