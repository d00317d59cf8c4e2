"""The vendor's own Python client, unchanged, against our calendars: the happy path of every call that we serve."""

from collections.abc import AsyncIterator

import chronary
import pytest
from chronary import AsyncChronary

from broker.ids import render_time
from tests.handlers.calendar.calls import HOUR_MS, MINUTE_MS, Org


@pytest.fixture
async def sdk(acme: Org) -> AsyncIterator[AsyncChronary]:
    async with AsyncChronary(api_key=acme.key, base_url=acme.server.url, max_retries=0) as client:
        yield client


async def test_calendars(sdk: AsyncChronary) -> None:
    made = await sdk.calendars.create(name="Rooms", timezone="Europe/Berlin", default_reminders=[5, 15])
    assert (made.name, made.timezone, made.default_reminders) == ("Rooms", "Europe/Berlin", [5, 15])
    assert (await sdk.calendars.get(made.id)).id == made.id
    changed = await sdk.calendars.update(made.id, name="Halls", default_reminders=None, metadata={"floor": 2})
    assert (changed.name, changed.default_reminders, changed.metadata) == ("Halls", None, {"floor": 2})
    listed = [each.id async for each in (await sdk.calendars.list(include="all", limit=1)).auto_paging_iter()]
    assert made.id in listed and len(listed) == 2, "the pager goes on by the limit that was echoed"
    await sdk.calendars.delete(made.id)
    with pytest.raises(chronary.NotFoundError):
        await sdk.calendars.get(made.id)


async def test_agents_and_their_calendars(sdk: AsyncChronary, acme: Org) -> None:
    agent = await sdk.agents.create(name="Ada", type="ai", description="Books rooms", metadata={"team": "ops"})
    assert (agent.name, agent.type, agent.status) == ("Ada", "ai", "active")
    assert (await sdk.agents.get(agent.id)).id == agent.id
    assert agent.id in [each.id async for each in (await sdk.agents.list()).auto_paging_iter()]
    calendar = await sdk.agents.calendars.create(agent.id, name="Ada's", timezone="UTC")
    assert calendar.agent_id == agent.id
    assert [each.id async for each in (await sdk.agents.calendars.list(agent.id)).auto_paging_iter()] == [calendar.id]
    body = await acme.body()
    event = await sdk.events.create(calendar.id, **body)
    assert [each.id async for each in (await sdk.agents.events.list(agent.id)).auto_paging_iter()] == [event.id]


async def test_events(sdk: AsyncChronary, acme: Org) -> None:
    body = await acme.body(description="Weekly", metadata={"n": 1}, reminders=[10])
    event = await sdk.events.create(acme.calendar, **body)
    assert (event.title, event.status, event.source, event.reminders) == ("Sync", "confirmed", "internal", [10])
    assert event.start_time.tzinfo is not None and event.start_time < event.end_time
    assert (await sdk.events.get(acme.calendar, event.id)).id == event.id
    assert (await sdk.events.get_by_id(event.id)).id == event.id
    changed = await sdk.events.update(acme.calendar, event.id, title="Moved", description=None, reminders=None)
    assert (changed.title, changed.description, changed.reminders) == ("Moved", None, None)
    assert (await sdk.events.update_by_id(event.id, status="tentative")).status == "tentative"
    pager = await sdk.events.list(acme.calendar, status="tentative", source="internal")
    found = [each.id async for each in pager.auto_paging_iter()]
    assert found == [event.id]
    await sdk.events.delete(acme.calendar, event.id)
    other = await sdk.events.create(acme.calendar, **body)
    await sdk.events.delete_by_id(other.id)
    assert [each async for each in (await sdk.events.list(acme.calendar)).auto_paging_iter()] == []


async def test_holds(sdk: AsyncChronary, acme: Org) -> None:
    weak = await sdk.events.create(acme.calendar, **await acme.hold_body(1))
    strong = await sdk.events.create(acme.calendar, **await acme.hold_body(2))
    assert (strong.status, strong.hold_priority) == ("hold", 2)
    assert (await sdk.events.get_by_id(weak.id)).status == "cancelled"
    with pytest.raises(chronary.APIStatusError) as lost:
        await sdk.events.create(acme.calendar, **await acme.hold_body(2))
    assert (lost.value.status_code, lost.value.error_type) == (409, "conflict")
    confirmed = await sdk.events.confirm(strong.id)
    assert (confirmed.id, confirmed.status) == (strong.id, "confirmed")
    other = await sdk.events.create(acme.calendar, **await acme.hold_body(3))
    assert (await sdk.events.release(other.id)).status == "cancelled"


async def test_availability(sdk: AsyncChronary, acme: Org) -> None:
    now_ms = await acme.now_ms()
    start, end = render_time(now_ms), render_time(now_ms + 4 * HOUR_MS + MINUTE_MS)
    await acme.make(HOUR_MS, HOUR_MS)
    answer = await sdk.availability.get_calendar(acme.calendar, start=start, end=end, duration="1h", include_busy=True)
    assert len(answer.slots) == 3 and len(answer.busy or []) == 1
    agent = await sdk.agents.create(name="Ada", type="ai")
    await sdk.agents.calendars.create(agent.id, name="Ada's", timezone="UTC")
    free = await sdk.agents.availability.get(agent.id, start=start, end=end, duration="2h")
    assert len(free.slots) == 2 and free.agents == [agent.id]


async def test_ical_subscriptions(sdk: AsyncChronary, acme: Org) -> None:
    agent = await sdk.agents.create(name="Ada", type="ai")
    calendar = await sdk.agents.calendars.create(agent.id, name="Ada's", timezone="UTC")
    subscriptions = sdk.ical_subscriptions
    url = "https://calendar.example.com/ada.ics"
    made = await subscriptions.create(agent.id, calendar_id=calendar.id, url=url, label="Private")
    assert (made.agent_id, made.calendar_id, made.url, made.label) == (agent.id, calendar.id, url, "Private")
    assert (await subscriptions.get(made.id)).id == made.id
    assert [each.id async for each in (await subscriptions.list(agent.id)).auto_paging_iter()] == [made.id]
    await subscriptions.sync(made.id)
    assert (await subscriptions.update(made.id, label="Other")).label == "Other"
    await subscriptions.delete(made.id)
    with pytest.raises(chronary.NotFoundError):
        await subscriptions.get(made.id)


async def test_a_retry_of_the_client_makes_one_hold(acme: Org) -> None:
    """The client's own Idempotency-Key holds it together: an answer that is lost on its way is asked for again."""
    async with AsyncChronary(api_key=acme.key, base_url=acme.server.url) as client:
        body = await acme.hold_body(ttl_ms=5 * MINUTE_MS)
        hold = await client.events.create(acme.calendar, **body)
    assert (await acme.listed("status=hold"))["total"] == 1 and hold.status == "hold"


async def test_errors_are_of_the_clients_classes(sdk: AsyncChronary, acme: Org) -> None:
    with pytest.raises(chronary.BadRequestError) as bad:
        await sdk.events.create(
            acme.calendar, title="", start_time="2030-01-01T10:00:00Z", end_time="2030-01-01T11:00:00Z"
        )
    assert (bad.value.error_type, bad.value.param) == ("validation_error", "title")
    async with AsyncChronary(api_key="chr_sk_wrong", base_url=acme.server.url, max_retries=0) as stranger:
        with pytest.raises(chronary.AuthenticationError):
            await stranger.calendars.get(acme.calendar)
