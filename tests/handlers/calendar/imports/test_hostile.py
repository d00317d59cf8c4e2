"""A feed that was made to hurt costs a clear error and nothing else: what was imported stays, the broker goes on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from itertools import repeat
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
from aiohttp import web

from tests.broker_server import BrokerServer, running_broker
from tests.handlers.calendar.calls import org_of
from tests.handlers.calendar.conftest import OPEN
from tests.handlers.calendar.imports.feeds import HOUR, Feed, event, follower_of, titles
from tests.handlers.calendar.imports.hostile import ruled
from tests.receivers import Request

MB = 1_048_576
Answer = Callable[[Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def brokering(engine_url: str, tmp_path: Path, ical: dict[str, Any]) -> AsyncIterator[BrokerServer]:
    async with running_broker(engine_url, tmp_path / "signing_key.json", {**OPEN, "ical": ical}) as running:
        yield running


@pytest.fixture
async def server(engine_url: str, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    async with brokering(engine_url, tmp_path, {"read_cpu_s": 3}) as running:
        yield running


async def large(_: Request) -> web.StreamResponse:
    """50 MB, which is ten times as much as may be."""
    return Chunks([b"x" * MB] * 50, 0.0)


async def endless(request: Request) -> web.StreamResponse:
    """An answer that begins, and says a byte now and then."""
    return Chunks(repeat(b"B"), 0.05)


class Chunks(web.StreamResponse):
    """A body that may have no end before its reader goes."""

    def __init__(self, chunks: Iterable[bytes], pause_s: float) -> None:
        super().__init__()
        self._chunks = chunks
        self._pause_s = pause_s

    async def write_eof(self, data: bytes = b"") -> None:
        """The body, and its end if there is one."""
        with suppress(ConnectionError):
            for chunk in self._chunks:
                await self.write(chunk)
                await asyncio.sleep(self._pause_s)
            await super().write_eof(data)


async def silent(_: Request) -> web.Response:
    """No answer before its reader is gone."""
    await asyncio.sleep(6)
    return web.Response()


async def redirect(_: Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data"})


async def gone(_: Request) -> web.Response:
    return web.Response(status=410)


async def compressed(_: Request) -> web.Response:
    return web.Response(body=b"\x1f\x8b" + b"\x00" * 100, headers={"Content-Encoding": "gzip"})


async def unasked(_: Request) -> web.Response:
    return web.Response(status=304)


async def garbage(_: Request) -> web.Response:
    return web.Response(body=b"\x00\xff\xfe" * 10_000)


async def secondly(_: Request) -> web.Response:
    return web.Response(body=ruled("FREQ=SECONDLY"))


SLOW = {
    "an answer that never ends": (endless, "did not end in time"),
    "no answer": (silent, "no answer within 4 s"),
}
ANSWERS = {
    "50 MB": (large, "over 5242880 bytes"),
    "a redirect to the cloud's metadata": (redirect, "302: redirects are not followed"),
    "gone": (gone, "answered 410"),
    "compressed": (compressed, "compressed"),
    "unchanged though nothing is known": (unasked, "304"),
    "garbage": (garbage, "no iCalendar file"),
}


async def costs_an_error_only(server: BrokerServer, feed: Feed, answer: Answer, word: str) -> None:
    """What was imported stays, nothing is told of it, memory is bounded, and the next good answer mends all."""
    ada = await follower_of(await org_of(server))
    feed.serve(event("a", await ada.now() + 24 * HOUR))
    made = await ada.synced(feed)
    before, memory = await ada.org.story(), psutil.Process().memory_info().rss
    feed.answer = answer
    assert (await ada.org.ask("POST", f"ical-subscriptions/{made['id']}/sync")).status_code == 202
    assert word in await ada.failed(made["id"])
    # The server that serves it is in this process too.
    assert psutil.Process().memory_info().rss - memory < 80 * MB
    assert titles(await ada.events()) == ["a"] and await ada.org.story() == before
    told = [each for each in await ada.org.told() if each["type"] == "calendar.subscription.updated"]
    assert [(each["data"]["previous_status"], each["data"]["status"]) for each in told] == [("active", "error")]
    feed.answer = None
    after = await ada.resynced(made["id"])
    assert (after["status"], after["last_error"]) == ("active", None)


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_that_is_no_feed_costs_an_error_only(server: BrokerServer, feed: Feed, name: str) -> None:
    await costs_an_error_only(server, feed, *ANSWERS[name])


@pytest.mark.parametrize("name", SLOW)
async def test_an_answer_that_does_not_come_costs_an_error_only(
    engine_url: str, tmp_path: Path, feed: Feed, name: str
) -> None:
    async with brokering(engine_url, tmp_path, {"timeout_s": 4.0}) as server:
        await costs_an_error_only(server, feed, *SLOW[name])


async def test_the_broker_answers_while_a_feed_is_read_that_never_ends(server: BrokerServer, feed: Feed) -> None:
    ada = await follower_of(await org_of(server))
    feed.serve(event("a", await ada.now() + 24 * HOUR))
    made = await ada.synced(feed)
    feed.answer = secondly
    await ada.org.ask("POST", f"ical-subscriptions/{made['id']}/sync")
    answered = 0
    while (found := await ada.subscription(made["id"]))["status"] == "active":
        assert (await server.http.get("/readyz")).status_code == 200
        answered += 1
    # The seconds of a processor were not the broker's.
    assert answered > 5 and "more than 3 s of a processor" in found["last_error"]
    assert titles(await ada.events()) == ["a"]


async def test_a_private_address_is_never_called_wherever_a_name_leads(server: BrokerServer) -> None:
    ada = await follower_of(await org_of(server))
    body = {"calendar_id": ada.org.calendar, "url": "https://10.0.0.1/x.ics"}
    error = await ada.org.refused("POST", f"agents/{ada.agent}/ical-subscriptions", body, 400, "validation_error")
    assert error["param"] == "url"
    # A name may be called until it is known where it leads.
    made = await ada.subscribe("https://localtest.invalid/x.ics")
    assert await ada.failed(made["id"])
