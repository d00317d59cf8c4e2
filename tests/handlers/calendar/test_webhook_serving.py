"""What is shown of where a webhook is: its place on the organisation's channel, and what was left out."""

from handlers.calendar.webhook_serving import MOST_GAPS
from tests.handlers.calendar.calls import Org
from tests.handlers.calendar.hooks import hook_of, later, subject, took
from tests.receivers import Receiver


async def test_a_new_webhook_is_at_the_tail_of_the_organisations_channel(acme: Org, receiver: Receiver) -> None:
    await later(acme)
    hook = await hook_of(acme, receiver.url)
    tail = (await acme.told("calendar-org-acme"))[-1]["id"]
    assert (await hook.shown())["cursor"] == tail
    await later(acme)
    await hook.counted(delivered=1)
    tail = (await acme.told("calendar-org-acme"))[-1]["id"]
    assert (await hook.until_shown(cursor=tail))["gaps"] == []


async def test_one_that_was_never_called_knows_what_it_left_out(acme: Org, receiver: Receiver) -> None:
    hook = await hook_of(acme, receiver.url)
    start = (await hook.shown())["cursor"]
    await hook.patch(active=False)
    missed = await later(acme)
    await hook.patch(active=True)
    await hook.replay_is_open()
    [gap] = (await hook.shown())["gaps"]
    assert gap["after"] == start and receiver.requests == []
    await hook.replay(gap["after"])
    await took(receiver, 1)
    assert subject(receiver.taken[0]) == missed["id"]


async def test_its_newest_gaps_are_shown_and_nothing_that_is_empty(acme: Org, receiver: Receiver) -> None:
    hook = await hook_of(acme, receiver.url)
    made = []
    for step in range(MOST_GAPS + 2):
        await hook.patch(active=False)
        if step:
            made.append((await later(acme))["id"])
        await hook.patch(active=True)
        # Its place is what it was activated with: until it went on from there the gap is still to be noted.
        await hook.replay_is_open()
    gaps = (await hook.shown())["gaps"]
    told = {each["data"]["subject"]: each["id"] for each in await acme.told("calendar-org-acme")}
    assert [each["until"] for each in gaps] == [told[each] for each in made[::-1]][:MOST_GAPS]
    assert receiver.requests == []
