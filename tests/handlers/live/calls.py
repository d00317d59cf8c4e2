"""Calls of the live events API in tests: an organiser with a tenant's key, viewers without one, and a media server."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx2

from broker.api_keys import KeyRequest
from broker.ids import render_time
from tests.broker_server import BrokerServer
from tests.channel_log import whole_log

PREFIX = "/v1/live-events"
UNKNOWN = "7b1f2f2e-0000-4000-8000-000000000001"
SECRET = "the secret of the media server"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

Json = dict[str, Any]


@dataclass(slots=True)
class Organiser:
    """A program of a tenant; `viewers` are anybody, `media` is the media server."""

    server: BrokerServer
    tenant: str
    key: str

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """The answer to a call; a name of a header has `_` for `-`."""
        sent = {"Authorization": f"Bearer {self.key}", **{n.replace("_", "-"): text for n, text in headers.items()}}
        content: Json = {} if body is None else {"json": body}
        return await self.server.http.request(method, f"{PREFIX}/{path}", headers=sent, **content)

    async def good(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The JSON that a call answers, which must be a success."""
        answer = await self.ask(method, path, body, **headers)
        assert answer.status_code in (200, 201, 204), answer.text
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: Any, status: int, code: str | None = None) -> Json:
        """The body of the error that a call answers, which must be this one."""
        return checked(await self.ask(method, path, body), status, code)

    async def create(self, **settings: Any) -> Json:
        """A new event, with its stream key."""
        made: Json = await self.good("POST", "events", {"name": "Town hall", **settings})
        return made

    async def to(self, event: Json, *steps: str) -> Json:
        """Move an event on: `rehearsal/start`, `live/start`, `live/stop`."""
        for step in steps:
            event = await self.good("POST", f"events/{event['event_id']}/{step}")
        return event

    async def show(self, event: Json) -> Json:
        """An event as its organiser sees it."""
        found: Json = await self.good("GET", f"events/{event['event_id']}")
        return found

    async def in_ms(self, ms: int) -> str:
        """A time so far ahead by the engine's clock."""
        return render_time(await self.server.broker.engine.now_ms() + ms)

    async def advance(self, ms: int) -> None:
        """Let so much time pass at once."""
        headers = self.server.bearer("admin")
        answer = await self.server.http.post("/admin/clock", json={"advance_ms": ms}, headers=headers)
        assert answer.status_code == 200, answer.text

    async def told(self, channel_id: str | None = None) -> list[Json]:
        """The events on a channel so far: the tenant's, where no other is named."""
        own = f"live-team-{self.tenant}"
        return await whole_log(self.server.http, channel_id or own, self.key if channel_id is None else None)

    async def kinds(self) -> list[str]:
        """The types on the tenant's channel, without `live.`."""
        return [each["type"].removeprefix("live.") for each in await self.told()]

    async def until(self, kind: str, count: int = 1) -> None:
        """Wait until this was told so often on the tenant's channel."""
        async with asyncio.timeout(30):
            while (await self.kinds()).count(kind) < count:
                await asyncio.sleep(0.01)

    async def seen(self, slug: str) -> list[tuple[str, str]]:
        """What the public channel told: what anybody sees, and what those see who have access."""
        told = [each["data"] for each in await self.told(f"live-watch-{slug}")]
        return [(each["watch_state"], each["granted_watch_state"]) for each in told]

    async def watch(self, slug: str, **headers: str) -> httpx2.Response:
        """What a viewer is answered."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        return await self.server.http.get(f"{PREFIX}/watch/{slug}", headers=sent)

    async def sees(self, slug: str, **headers: str) -> Json:
        """What a viewer sees."""
        answer = await self.watch(slug, **headers)
        assert answer.status_code == 200, answer.text
        seen: Json = answer.json()
        return seen

    async def verify(self, slug: str, kind: str, text: Any, **headers: str) -> httpx2.Response:
        """The answer to a viewer who proves to know a password, or to have a token."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.server.http.post(f"{PREFIX}/watch/{slug}/verify-{kind}", json={kind: text}, headers=sent)

    async def grant(self, slug: str, kind: str, text: str) -> str:
        """A grant."""
        answer = await self.verify(slug, kind, text)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_grant"])

    async def consume(self, slug: str, grant: Any) -> httpx2.Response:
        """The answer to a viewer whose playback starts."""
        return await self.server.http.post(f"{PREFIX}/watch/{slug}/consume-grant", json={"access_grant": grant})

    async def media(self, call: str, name: str, **fields: Any) -> httpx2.Response:
        """The answer to the media server, which posts forms as nginx-rtmp does."""
        form = {"app": "live", "call": call, "name": name, "addr": "203.0.113.9", "clientid": "1", **fields}
        path = f"{PREFIX}/ingest?secret={SECRET.replace(' ', '%20')}"
        return await self.server.http.post(path, data=form, follow_redirects=False)

    async def stream(self, stream_key: str) -> str:
        """The public name under which an encoder with this key streams from now on."""
        answer = await self.media("publish", stream_key)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]


def checked(answer: httpx2.Response, status: int, code: str | None = None) -> Json:
    """The body of an error, which must be this one and of this API's form."""
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    assert body["error"].keys() == {"code", "message", "details"} and body["detail"] == body["error"]["message"]
    assert code is None or body["error"]["code"] == code, answer.text
    return body


async def organiser_of(server: BrokerServer, tenant: str = "acme", *scopes: str) -> Organiser:
    """A program with a new key of this tenant."""
    text, _ = await server.broker.api_keys.create(KeyRequest(tenant, scopes or ("live",)))
    return Organiser(server, tenant, text)
