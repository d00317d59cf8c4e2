"""Feeds for tests: real servers on 127.0.0.1 that serve iCalendar files, and what calendars make of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web

from tests.handlers.calendar.calls import Json, Org, until
from tests.receivers import Receiver, Request, receiving

HOUR = timedelta(hours=1)


def utc(at: datetime) -> str:
    """A time as RFC 5545 has it in UTC."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def event(uid: str, start: datetime | str, *lines: str, length: timedelta = HOUR, summary: str = "") -> str:
    """A VEVENT; a `start` that is a text is a whole DTSTART line, then the end is among `lines`."""
    when = [start] if isinstance(start, str) else [f"DTSTART:{utc(start)}", f"DTEND:{utc(start + length)}"]
    own = [f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"SUMMARY:{summary or uid}", *when, *lines]
    return "\r\n".join(["BEGIN:VEVENT", *own, "END:VEVENT"])


def calendar(*events: str) -> bytes:
    """A whole file."""
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//t//EN", *events, "END:VCALENDAR", ""]).encode()


@dataclass
class Feed:
    """A feed that is served: its file, and an ETag where it has one, which makes questions conditional."""

    receiver: Receiver
    body: bytes = b""
    etag: str = ""
    answer: Callable[[Request], Awaitable[web.StreamResponse]] | None = None
    asked: list[Request] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it is."""
        return self.receiver.url.replace("/hook", "/feed.ics")

    def serve(self, *events: str, etag: str = "") -> None:
        """Serve these events from now on."""
        self.body, self.etag, self.answer = calendar(*events), etag, None

    async def reply(self, request: Request) -> web.Response:
        """The answer to a question, which is noted."""
        self.asked.append(request)
        found = await (self.answer or self._own)(request)
        self.statuses.append(found.status)
        return found  # type: ignore[return-value]  # a stream is an answer too

    async def _own(self, request: Request) -> web.Response:
        headers = {"ETag": self.etag} if self.etag else {}
        if self.etag and request.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=self.body, headers=headers, content_type="text/calendar")


@asynccontextmanager
async def feeding() -> AsyncIterator[Feed]:
    """A feed for as long as the block runs."""
    async with receiving() as receiver:
        feed = Feed(receiver)
        receiver.answer = feed.reply
        yield feed


@dataclass
class Follower:
    """An agent with a calendar that subscribes to feeds."""

    org: Org
    agent: str

    async def subscribe(self, feed: Feed | str, **more: str) -> Json:
        """A new subscription."""
        url = feed if isinstance(feed, str) else feed.url
        body = {"calendar_id": self.org.calendar, "url": url, **more}
        return await self.org.good("POST", f"agents/{self.agent}/ical-subscriptions", body)

    async def subscription(self, subscription_id: str) -> Json:
        """A subscription as it is."""
        return await self.org.good("GET", f"ical-subscriptions/{subscription_id}")

    async def synced(self, feed: Feed, **more: str) -> Json:
        """A new subscription, once its feed is in the calendar."""
        made = await self.subscribe(feed, **more)
        return await self.until(made["id"], lambda own: own["last_synced_at"] is not None)

    async def failed(self, subscription_id: str) -> str:
        """What is wrong with a subscription, once something is."""
        found = await self.until(subscription_id, lambda own: own["status"] == "error")
        return str(found["last_error"])

    async def until(self, subscription_id: str, is_so: Callable[[Json], bool]) -> Json:
        """A subscription, once this is so of it."""
        found: Json = {}

        async def look() -> bool:
            found.update(await self.subscription(subscription_id))
            return is_so(found)

        await until(look)
        return found

    async def resynced(self, subscription_id: str, advance_ms: int = 1_000) -> Json:
        """A subscription once it was polled anew, asked for by a call."""
        before = (await self.subscription(subscription_id))["last_synced_at"]
        await self.org.advance(advance_ms)
        answer = await self.org.ask("POST", f"ical-subscriptions/{subscription_id}/sync")
        assert (answer.status_code, answer.json()) == (202, {"status": "syncing"})
        return await self.until(subscription_id, lambda own: own["last_synced_at"] != before)

    async def events(self, query: str = "") -> list[Json]:
        """The events of feeds in the calendar, by start."""
        page = await self.org.listed(f"source=external_ical&limit=200{query}")
        assert page["total"] <= 200
        data: list[Json] = page["data"]
        return data

    async def now(self) -> datetime:
        """The engine's time, in whole hours."""
        now = datetime.fromtimestamp(await self.org.now_ms() / 1000, UTC)
        return now.replace(minute=0, second=0, microsecond=0)


async def follower_of(org: Org) -> Follower:
    """A new agent of an organisation, with a calendar."""
    agent = (await org.make_agent())["id"]
    made = await org.good("POST", f"agents/{agent}/calendars", {"name": "Ada", "timezone": "Europe/Berlin"})
    org.calendar = made["id"]
    return Follower(org, agent)


def titles(events: Iterable[Json]) -> list[str]:
    """What they are called."""
    return [each["title"] for each in events]
