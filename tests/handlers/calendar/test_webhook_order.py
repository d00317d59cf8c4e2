"""In which order deliveries come to a receiver that fails, one at a time, and when one is given up."""

import asyncio
import itertools
import random

from aiohttp import web

from tests.handlers.calendar.calls import Org
from tests.handlers.calendar.hooks import (
    MINUTE_MS,
    hook_of,
    later,
    names,
    quiet,
    refusing,
    subject,
    took,
    tried,
)
from tests.receivers import Request, receiving, status


async def test_hold_expired_reaches_a_failing_receiver_before_the_hold_created_of_its_conqueror(acme: Org) -> None:
    async with receiving(refusing(2)) as receiver:
        hook = await hook_of(acme, receiver.url)
        old = await acme.hold(1)
        await took(receiver, 1)
        new = await acme.hold(2)
        await tried(hook, 2)
        other = await later(acme, title="another subject")
        # What is about neither of the two is not held up.
        assert await took(receiver, 2) == ["event.hold_created", "event.created"]
        await acme.good("PUT", f"events/{new['id']}/confirm")
        await acme.advance(2 * MINUTE_MS)
        assert (await took(receiver, 5))[2:] == ["event.hold_expired", "event.hold_created", "event.hold_confirmed"]
        told = [subject(each) for each in receiver.taken]
        assert told == [old["id"], other["id"], old["id"], new["id"], new["id"]]
        assert receiver.taken[2].event["reason"] == "preempted"


async def test_a_receiver_that_fails_at_random_gets_each_event_in_order_and_every_bump_before_its_conqueror(
    acme: Org,
) -> None:
    luck = random.Random(11)

    async def answer(_: Request) -> web.Response:
        return web.Response(status=200 if luck.random() < 0.6 else 503)

    async with receiving(answer) as receiver:
        hook = await hook_of(acme, receiver.url)
        holds = [await acme.hold(priority, ttl_ms=15 * MINUTE_MS) for priority in range(12)]
        events = [await later(acme) for _ in range(6)]
        for event in events:
            await acme.patch(event["id"], title="other")
        told = 12 + 11 + 6 + 6
        for _ in range(40):
            await quiet()
            stats = (await hook.deliveries())["stats"]
            if stats["delivered"] + stats["failed"] == told:
                break
            await acme.advance(2 * MINUTE_MS if stats["pending"] else 1)
            receiver.answer = answer if luck.random() < 0.5 else status(200)
        await hook.counted(pending=0)
        taken = [(subject(each), name) for each, name in zip(receiver.taken, names(receiver.taken), strict=True)]
        assert len(taken) == len(set(taken))
        places = {each: place for place, each in enumerate(taken)}
        for old, new in itertools.pairwise(holds):
            pair = (old["id"], "event.hold_expired"), (new["id"], "event.hold_created")
            if all(each in places for each in pair):
                assert places[pair[0]] < places[pair[1]]
        for event in events:
            own = [name for about, name in taken if about == event["id"]]
            assert own == [each for each in ("event.created", "event.updated") if each in own]


async def test_a_receiver_is_called_for_one_delivery_at_a_time(acme: Org) -> None:
    open_now = most = 0

    async def answer(_: Request) -> web.Response:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.01)
        open_now -= 1
        return web.Response()

    async with receiving(answer) as receiver:
        await hook_of(acme, receiver.url)
        await asyncio.gather(*(later(acme) for _ in range(8)))
        await took(receiver, 8)
        assert most == 1


async def test_after_four_attempts_a_delivery_has_failed_and_the_next_event_is_sent(acme: Org) -> None:
    async with receiving(refusing(1, 2, 3, 4)) as receiver:
        hook = await hook_of(acme, receiver.url)
        event = await later(acme)
        await acme.patch(event["id"], title="next")
        for attempt, minutes in enumerate((2, 10, 60), 1):
            await tried(hook, attempt)
            pending = await hook.deliveries("status=pending")
            assert pending["total"] == 2 and pending["data"][1]["next_retry_at"] is not None
            await acme.advance(minutes * MINUTE_MS)
        assert await took(receiver, 1) == ["event.updated"]
        page = await hook.counted(pending=0, delivered=1, failed=1)
        shown = [(each["event_type"], each["status"], each["attempts"]) for each in page["data"]]
        assert shown == [("event.updated", "delivered", 1), ("event.created", "failed", 4)]
        assert page["data"][1]["next_retry_at"] is None and page["data"][1]["response_status"] == 500
        assert (await hook.shown())["consecutive_failures"] == 0
