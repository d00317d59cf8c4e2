"""Where webhooks may point, and receivers that are slow, large, or send elsewhere."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.broker_server import running_broker
from tests.handlers.calendar.calls import Org, org_of
from tests.handlers.calendar.hooks import hook_of, later, tried
from tests.receivers import Receiver, Request, receiving

URL = "https://hooks.example.com/a"
GOOD = {"url": URL, "events": ["event.created"]}


@asynccontextmanager
async def acme_on(engine_url: str, tmp_path: Path, settings: dict[str, Any]) -> AsyncIterator[Org]:
    """An organisation with a calendar on a broker with these settings."""
    async with running_broker(engine_url, tmp_path / "key.json", settings) as server:
        org = await org_of(server)
        org.calendar = (await org.make_calendar())["id"]
        yield org


async def test_a_url_that_is_not_public_is_refused_on_making_and_on_changing(acme: Org) -> None:
    made = await acme.good("POST", "webhooks", GOOD)
    for url in (
        "ftp://hooks.example.com/",
        "hooks.example.com",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://0x0a000001/",
        "http://user@hooks.example.com/",
        "http://hooks.example.com:22/",
        "https://hooks.example.com/" + "x" * 2_048,
    ):
        for method, path in (("POST", "webhooks"), ("PATCH", f"webhooks/{made['id']}")):
            error = await acme.refused(method, path, {**GOOD, "url": url}, 400, "validation_error")
            assert error["param"] == "url", url
    assert (await acme.good("GET", f"webhooks/{made['id']}"))["url"] == URL


async def test_a_name_that_leads_to_a_private_address_is_not_called(
    engine_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    """What a name says is judged when it is called, by the address that it leads to."""
    settings: dict[str, Any] = {"outbound": {"allow": ["192.0.2.0/24"]}}
    async with acme_on(engine_url, tmp_path, settings) as acme:
        hook = await hook_of(acme, receiver.url.replace("127.0.0.1", socket.gethostname()))
        await later(acme)
        await tried(hook, 1)
        [row] = (await hook.deliveries())["data"]
    assert row["response_status"] is None and receiver.requests == []
    assert "may not be called" in row["error"] or "name" in row["error"].lower()


async def test_a_large_answer_is_not_read_and_a_redirect_not_followed(acme: Org, receiver: Receiver) -> None:
    async def large(_: Request) -> web.Response:
        return web.Response(body=b"x" * 5_000_000)

    async def moved(_: Request) -> web.Response:
        return web.Response(status=302, headers={"Location": receiver.url})

    async with receiving(large) as huge, receiving(moved) as elsewhere:
        first, second = await hook_of(acme, huge.url), await hook_of(acme, elsewhere.url)
        await later(acme)
        await first.counted(delivered=1)
        await tried(second, 1)
        [row] = (await second.deliveries())["data"]
        assert (row["status"], row["response_status"]) == ("pending", 302)
    assert receiver.requests == []


async def test_who_is_too_slow_has_failed_and_delays_no_other_webhook(engine_url: str, tmp_path: Path) -> None:
    released = asyncio.Event()

    async def slow(_: Request) -> web.Response:
        await released.wait()
        return web.Response()

    settings = {"outbound": {"allow": ["127.0.0.0/8"]}, "calendar": {"webhook_timeout_s": 0.3}}
    # In this order: the broker ends when nothing has a connection any more.
    async with (
        acme_on(engine_url, tmp_path, settings) as acme,
        receiving(slow) as hanging,
        receiving() as receiver,
    ):
        hook, other = await hook_of(acme, hanging.url), await hook_of(acme, receiver.url)
        for _ in range(3):
            await later(acme)
        await other.counted(delivered=3)
        await tried(hook, 1)
        rows = (await hook.deliveries())["data"]
        released.set()
    assert {each["status"] for each in rows} == {"pending"} and rows[-1]["error"] == "no answer within 0.3 s"
