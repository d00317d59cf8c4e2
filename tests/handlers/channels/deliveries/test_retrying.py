"""Deliveries that fail: tried again in order, given up, paused while the receiver is down, and resumed."""

import asyncio
import random
from typing import Any

from aiohttp import web

from tests.broker_server import BrokerServer
from tests.handlers.channels.deliveries.calls import HOUR_MS, SECOND_MS, advance, ask, follow, rows
from tests.receivers import Request, receiving, status


async def test_a_failed_delivery_is_tried_again_at_its_time_under_the_same_id(server: BrokerServer) -> None:
    answers = iter([500, 503, 204])

    async def answer(_: Request) -> web.Response:
        return web.Response(status=next(answers))

    async with receiving(answer) as receiver:
        webhook = await follow(server, receiver.url)
        [event] = await server.publish("news", 1)
        await rows(server, webhook, 1)
        await asyncio.sleep(0.1)
        assert len(receiver.requests) == 1
        await advance(server, 6_100)
        await rows(server, webhook, 2)
        await advance(server, 370 * SECOND_MS)
        assert await receiver.took(1) == [1]
        assert {each.headers["webhook-id"] for each in receiver.requests} == {event["id"]}
        found = await rows(server, webhook, 3)
    shown = [(each["verdict"], each["attempt"], each["status"], each["event_id"]) for each in reversed(found)]
    assert shown == [
        ("retrying", 1, 500, event["id"]),
        ("retrying", 2, 503, event["id"]),
        ("delivered", 3, 204, event["id"]),
    ]


async def test_retry_after_holds_everything_up_that_long(server: BrokerServer) -> None:
    async with receiving(status(429, Retry_After="600")) as receiver:
        webhook = await follow(server, receiver.url)
        await server.publish("news", {"subject": "a"})
        await rows(server, webhook, 1)
        await server.publish("news", {"subject": "b"})
        await advance(server, 590 * SECOND_MS)
        await asyncio.sleep(0.2)
        assert len(receiver.requests) == 1
        assert (await ask(server, "GET", webhook["id"]))["deliveries"]["resumes_at"] is not None
        await advance(server, 20 * SECOND_MS)
        await receiver.heard(2)


async def test_after_eight_attempts_it_is_a_dead_letter_and_the_next_event_is_delivered(server: BrokerServer) -> None:
    async def answer(request: Request) -> web.Response:
        return web.Response(status=400 if request.data == "poison" else 200)

    async with receiving(answer) as receiver:
        webhook = await follow(server, receiver.url)
        await server.publish("news", "poison", "fine")
        for attempt in range(1, 9):
            await rows(server, webhook, attempt)
            await advance(server, 13 * HOUR_MS)
        assert await receiver.took(1) == ["fine"]
        [dead] = await rows(server, webhook, 1, "?verdict=dead")
        assert (dead["attempt"], dead["status"], dead["next_attempt_at"]) == (8, 400, None)
        assert [each.data for each in receiver.requests] == ["poison"] * 8 + ["fine"]


async def test_a_receiver_that_fails_at_random_loses_nothing_and_gets_each_subject_in_order(
    server: BrokerServer,
) -> None:
    luck = random.Random(7)
    data: list[dict[str, Any]] = []

    async def answer(_: Request) -> web.Response:
        await asyncio.sleep(luck.random() * 0.003)
        return web.Response(status=200 if luck.random() < 0.7 else 500)

    async with receiving(answer) as receiver:
        webhook = await follow(server, receiver.url)
        data = [{"subject": f"s{luck.randrange(8)}", "n": n} if n % 10 else {"n": n} for n in range(120)]
        for i in range(0, 120, 30):
            await server.publish("news", *data[i : i + 30])
        for _ in range(200):
            if len(receiver.taken) == 120:
                break
            await advance(server, HOUR_MS)
            await ask(server, "POST", f"{webhook['id']}/resume")
            await asyncio.sleep(0.05)
        taken = [each.data for each in receiver.taken]
        assert sorted(each["n"] for each in taken) == list(range(120))
        for subject in {each.get("subject") for each in data}:
            assert [each for each in taken if each.get("subject") == subject] == [
                each for each in data if each.get("subject") == subject
            ]


async def test_a_receiver_that_is_down_is_paused_probed_and_gets_all_when_it_is_back(server: BrokerServer) -> None:
    is_up = False

    async def answer(_: Request) -> web.Response:
        return web.Response(status=200 if is_up else 502)

    async with receiving(answer) as receiver:
        webhook = await follow(server, receiver.url)
        await server.publish("news", *[{"subject": str(n)} for n in range(30)])
        await rows(server, webhook, 20)
        shown = (await ask(server, "GET", webhook["id"]))["deliveries"]
        async with asyncio.timeout(5):
            while shown["status"] == "active":
                shown = (await ask(server, "GET", webhook["id"]))["deliveries"]
        heard = len(receiver.requests)
        await advance(server, 61 * SECOND_MS)
        await receiver.heard(heard + 1)
        await rows(server, webhook, 1, "?verdict=probe")
        assert len(receiver.requests) == heard + 1
        is_up = True
        await advance(server, 2 * HOUR_MS)
        taken = await receiver.took(30)
        assert sorted(int(each["subject"]) for each in taken) == list(range(30))
        assert (await ask(server, "GET", webhook["id"]))["deliveries"]["status"] == "active"


async def test_410_ends_deliveries_until_they_are_resumed(server: BrokerServer) -> None:
    answers = iter([410])

    async def answer(_: Request) -> web.Response:
        return web.Response(status=next(answers, 200))

    async with receiving(answer) as receiver:
        webhook = await follow(server, receiver.url)
        await server.publish("news", 1)
        await rows(server, webhook, 1)
        await server.publish("news", 2)
        await advance(server, 20 * HOUR_MS)
        await asyncio.sleep(0.2)
        assert len(receiver.requests) == 1
        assert (await ask(server, "GET", webhook["id"]))["deliveries"]["status"] == "paused_gone"
        await ask(server, "POST", f"{webhook['id']}/resume")
        assert await receiver.took(2) == [1, 2]
