"""The vendor's own Python client, unchanged, on the organisation's webhooks: its calls, and its check of signatures."""

from collections.abc import AsyncIterator

import chronary
import pytest
from chronary import AsyncChronary
from chronary.resources.webhooks import WEBHOOK_EVENT_TYPES
from chronary.webhook import SignatureVerificationError, unwrap, verify_signature

from handlers.calendar.webhook_models import EventName
from tests.handlers.calendar.calls import Org
from tests.handlers.calendar.hooks import Hook, later, took
from tests.receivers import Receiver


@pytest.fixture
async def sdk(acme: Org) -> AsyncIterator[AsyncChronary]:
    async with AsyncChronary(api_key=acme.key, base_url=acme.server.url, max_retries=0) as client:
        yield client


def test_the_names_are_the_clients() -> None:
    assert EventName.__args__ == WEBHOOK_EVENT_TYPES  # type: ignore[attr-defined]


async def test_the_calls_of_webhooks(sdk: AsyncChronary, acme: Org, receiver: Receiver) -> None:
    made = await sdk.webhooks.create(url=receiver.url, events=list(WEBHOOK_EVENT_TYPES))
    assert made.secret is not None and made.active and made.events == list(WEBHOOK_EVENT_TYPES)
    found = await sdk.webhooks.get(made.id)
    assert (found.id, found.secret, found.consecutive_failures) == (made.id, None, 0)
    assert [each.id async for each in (await sdk.webhooks.list(limit=1)).auto_paging_iter()] == [made.id]
    event = await later(acme)
    await Hook(acme, made.id, made.secret).counted(delivered=1)
    page = await sdk.webhooks.list_deliveries(made.id, status="delivered", include_payload=True)
    [delivery] = page.data
    assert (delivery.subscription_id, delivery.event_type, delivery.attempts) == (made.id, "event.created", 1)
    assert delivery.payload == {"event": event, "calendar_id": acme.calendar}
    assert (page.total, page.stats.pending, page.stats.delivered, page.stats.failed) == (1, 0, 1, 0)
    changed = await sdk.webhooks.update(made.id, events=["event.deleted"], active=False)
    assert (changed.events, changed.active) == (["event.deleted"], False)
    await sdk.webhooks.delete(made.id)
    with pytest.raises(chronary.NotFoundError):
        await sdk.webhooks.get(made.id)


async def test_what_is_sent_is_verified_by_the_client_and_nothing_else_is(
    sdk: AsyncChronary, acme: Org, receiver: Receiver
) -> None:
    made = await sdk.webhooks.create(url=receiver.url, events=["event.created"])
    assert made.secret is not None
    event = await later(acme, title="ü\u2028")
    await took(receiver, 1)
    [request] = receiver.taken
    told = unwrap(request.body, request.headers, secret=made.secret)
    assert told == {"type": "event.created", "data": {"event": event, "calendar_id": acme.calendar}}
    for body, secret in ((request.body + b" ", made.secret), (request.body, made.secret + "x")):
        with pytest.raises(SignatureVerificationError):
            verify_signature(body, request.headers, secret=secret)
