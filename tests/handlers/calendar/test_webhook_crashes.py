"""Processes that are killed between a commit and its delivery to an organisation's webhook: nothing is lost, the order
stays, what is sent twice has one id, and what is counted is right."""

import asyncio
import os
import signal
from functools import partial

import pytest

from broker.channels import ChannelRecord
from broker.delivery_signing import secret_of
from broker.endpoints import Endpoint
from broker.ids import render_time
from broker.progress import Progress, parse_progress
from broker.storage.deliveries import name_of
from broker.storage.endpoints import Endpoints
from broker.webhooks import state_of
from handlers.calendar import decisions, making
from handlers.calendar.decisions import Place
from handlers.calendar.events import channel_of, org_of
from handlers.calendar.feed_token import Feeds
from handlers.calendar.models import CalendarTaken
from handlers.calendar.webhook_models import WebhookTaken
from handlers.calendar.webhooks import adding, made_of
from handlers.calendar.wire import parse_event
from tests.handlers.calendar.hooks import ALL, names, subject, verify
from tests.killable import said
from tests.receivers import Receiver
from tests.stores import Store
from tests.webhooks.postman import KEY
from tests.webhooks.postmen import delivering, postman

TENANT, CALENDAR = "acme", "cal_00000000000000"
PLACE = Place(TENANT, CALENDAR)
WEBHOOK = "whk_1"


class Office:
    """An organisation with a calendar, by commits alone: no server delivers for it."""

    def __init__(self, store: Store, channel: ChannelRecord) -> None:
        self.store = store
        self.channel = channel

    async def follow(self, url: str) -> Endpoint:
        asked = WebhookTaken.model_validate({"url": url, "events": ALL})
        made = made_of(asked, WEBHOOK, TENANT, url)
        return await Endpoints(self.store.engine).change(self.channel, partial(adding, made, 10))

    async def make_calendar(self) -> None:
        asked = CalendarTaken(name="Work", timezone="Europe/Berlin")
        decide = partial(making.creating_calendar, TENANT, asked, CALENDAR, None, None, Feeds(b"s" * 32, "http://x"))
        logs = (channel_of(TENANT, CALENDAR), org_of(TENANT))
        await self.store.commits.execute(TENANT, [], decide, logs=logs)

    async def hold(self, event_id: str, priority: int) -> None:
        now_ms = await self.store.engine.now_ms(self.channel.partition)
        body = {
            "title": event_id,
            "status": "hold",
            "start_time": "2030-01-01T10:00:00Z",
            "end_time": "2030-01-01T11:00:00Z",
            "hold_expires_at": render_time(now_ms + 600_000),
            "hold_priority": priority,
        }
        decide = partial(decisions.creating, PLACE, parse_event(body), event_id)
        logs = (channel_of(TENANT, CALENDAR), org_of(TENANT))
        await self.store.commits.execute(TENANT, PLACE.keys, decide, logs=logs)

    async def progress(self) -> Progress:
        key = state_of(name_of(self.channel, WEBHOOK).subject)
        found = (await self.store.reader.read(self.channel.partition, [key])).loaded.documents[key]
        return parse_progress(found.body) if found else Progress(self.channel.start)

    async def until_all(self, delivered: int) -> None:
        async with asyncio.timeout(60):
            while (progress := await self.progress()).delivered < delivered or progress.pending:
                await asyncio.sleep(0.01)


@pytest.fixture
async def office(store: Store) -> Office:
    made = Office(store, await store.channels.ensure(org_of(TENANT)))
    await made.make_calendar()
    await made.hold("evt_old", 1)
    return made


@pytest.mark.parametrize("place", ["send", "record", "rest"])
async def test_who_is_killed_between_the_commit_and_the_delivery_leaves_all_of_it_in_order_to_another(
    office: Office, engine_url: str, receiver: Receiver, place: str
) -> None:
    await office.follow(receiver.url)
    async with postman(engine_url, place) as process:
        await office.hold("evt_new", 2)
        assert await said(process) == place
        process.kill()
        await process.wait()
    before = names(receiver.taken)
    assert before == {"send": [], "record": ["event.hold_expired"]}.get(
        place, ["event.hold_expired", "event.hold_created"]
    )
    async with delivering(office.store):
        await office.hold("evt_last", 3)
        await office.until_all(4)
    firsts = list(
        dict.fromkeys((subject(each), name) for each, name in zip(receiver.taken, names(receiver.taken), strict=True))
    )
    assert firsts == [
        ("evt_old", "event.hold_expired"),
        ("evt_new", "event.hold_created"),
        ("evt_new", "event.hold_expired"),
        ("evt_last", "event.hold_created"),
    ]
    assert len(receiver.taken) == 4 + (place == "record")
    assert len({each.headers["X-Delivery-Id"] for each in receiver.taken}) == 4
    secret = secret_of(KEY, WEBHOOK)
    assert all(verify(each, secret) for each in receiver.taken)
    counts = await office.progress()
    assert (counts.pending, counts.delivered, counts.given_up) == (0, 4, 0)


async def test_who_stood_still_past_its_lease_counts_nothing_twice(
    office: Office, engine_url: str, receiver: Receiver
) -> None:
    await office.follow(receiver.url)
    async with postman(engine_url, "none") as process:
        os.kill(process.pid, signal.SIGSTOP)
        await office.hold("evt_new", 2)
        async with delivering(office.store):
            await office.until_all(2)
            os.kill(process.pid, signal.SIGCONT)
            await office.hold("evt_last", 3)
            await office.until_all(4)
    assert len({each.headers["X-Delivery-Id"] for each in receiver.taken}) == 4
    assert (await office.progress()).delivered == 4
