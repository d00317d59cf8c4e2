"""Receivers of an organisation's webhooks in tests: what they were told, and waiting for it."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from handlers.calendar.webhooks import TYPES
from tests.handlers.calendar.calls import Json, Org, until
from tests.receivers import Receiver, Request

ALL = sorted(TYPES)
MINUTE_MS, DAY_MS = 60_000, 86_400_000
FAR_MS = 90 * DAY_MS


@dataclass(slots=True)
class Hook:
    """A webhook of an organisation."""

    org: Org
    id: str
    secret: str

    async def shown(self) -> Json:
        return await self.org.good("GET", f"webhooks/{self.id}")

    async def patch(self, **changed: Any) -> Json:
        return await self.org.good("PATCH", f"webhooks/{self.id}", changed)

    async def deliveries(self, query: str = "") -> Json:
        return await self.org.good("GET", f"webhooks/{self.id}/deliveries?{query}")

    async def replay(self, cursor: str) -> Json:
        return await self.org.good("POST", f"webhooks/{self.id}/replay", {"cursor": cursor})

    async def replay_is_open(self) -> None:
        """Wait until an activation was carried out: before, a replay is 503."""
        tail = (await self.shown())["cursor"]

        async def is_so() -> bool:
            answer = await self.org.ask("POST", f"webhooks/{self.id}/replay", {"cursor": tail})
            assert answer.status_code == 200 or answer.headers["Retry-After"] == "1", answer.text
            return answer.status_code == 200

        await until(is_so)

    async def counted(self, **stats: int) -> Json:
        """The deliveries, once so many are what is said."""
        found: Json = {}

        async def is_so() -> bool:
            nonlocal found
            found = await self.deliveries("limit=100")
            return bool({**found["stats"], **stats} == found["stats"])

        await until(is_so)
        return found

    async def until_shown(self, **members: Any) -> Json:
        """The webhook, once it is so."""
        found: Json = {}

        async def is_so() -> bool:
            nonlocal found
            found = await self.shown()
            return {**found, **members} == found

        await until(is_so)
        return found


async def hook_of(org: Org, url: str, *events: str) -> Hook:
    """A new webhook, for all that is told where nothing else is said."""
    made = await org.good("POST", "webhooks", {"url": url, "events": list(events) or ALL})
    return Hook(org, made["id"], made["secret"])


async def later(org: Org, **changed: Any) -> Json:
    """A new event that is so far ahead that no test sees it begin."""
    return await org.make(FAR_MS, **changed)


def names(requests: list[Request]) -> list[str]:
    """The vendor's names of what was sent."""
    return [each.headers["X-Chronary-Event-Type"] for each in requests]


def subject(request: Request) -> str:
    """The id of the event that a request is about."""
    event = request.event
    return str(event.get("event_id") or event["event"]["id"])


async def took(receiver: Receiver, count: int) -> list[str]:
    """The names of what it took, once it took so many."""
    await receiver.until(lambda one: len(one.taken) >= count, 60)
    return names(receiver.taken)


def verify(request: Request, secret: str) -> int:
    """Check a request as the vendor's client does, and answer the seconds of its signature."""
    timestamp = request.headers["X-Timestamp"]
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(request.headers["X-Signature"], f"sha256={signed}")
    return int(timestamp)


def refusing(*numbers: int, code: int = 500) -> Callable[[Request], Awaitable[web.Response]]:
    """A receiver that refuses these of its requests, counted from 1."""
    return answering(set(numbers), code)


def answering(refused: Container[int], code: int = 500) -> Callable[[Request], Awaitable[web.Response]]:
    """The same; `refused` may change meanwhile."""
    count = 0

    async def answer(_: Request) -> web.Response:
        nonlocal count
        count += 1
        return web.Response(status=code if count in refused else 200)

    return answer


async def heard(receiver: Receiver, count: int) -> list[Request]:
    """What it was sent, once it was sent so much."""
    return await receiver.heard(count, 60)


async def tried(hook: Hook, count: int) -> None:
    """Wait until so many attempts were recorded, of all deliveries."""

    async def is_so() -> bool:
        return bool(sum(each["attempts"] for each in (await hook.deliveries("limit=100"))["data"]) >= count)

    await until(is_so)


async def driven(hook: Hook, delivered: int) -> None:
    """Let retries come due until so many were delivered and nothing waits."""
    async with asyncio.timeout(60):
        while True:
            page = await hook.deliveries("limit=100")
            if page["stats"]["delivered"] >= delivered and not page["stats"]["pending"]:
                return
            due = [each["next_retry_at"] for each in page["data"] if each["next_retry_at"]]
            wait_ms = int(datetime.fromisoformat(min(due)).timestamp() * 1000) - await hook.org.now_ms() if due else 0
            if wait_ms > 0:
                await hook.org.advance(wait_ms + 1)
            await asyncio.sleep(0.02)


async def quiet() -> None:
    """Give what should not happen a moment to happen."""
    await asyncio.sleep(0.2)
