"""The asyncio face: publish, read and follow from coroutines."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx2

from tidemark_client.answers import KEY_HEADER, Call, parse_answer
from tidemark_client.asked import Asked
from tidemark_client.async_follower import AsyncFollower
from tidemark_client.async_link import AsyncLink
from tidemark_client.errors import GapFound
from tidemark_client.event import Event, Page, page_of, stored_event, stored_events
from tidemark_client.face import PATIENCE_S, AsyncToken, OnGap, OnTrouble, Options, chance, new_key, says_of
from tidemark_client.requests import Draft, gap_of, page_call, publish_batch, publish_one, render_json
from tidemark_client.retrying import Retrying
from tidemark_client.server_url import ServerUrl
from tidemark_client.steps import Ask, Done, Pause
from tidemark_client.timing import Timing
from tidemark_client.ways import TRANSPORTS, Transport


class AsyncClient:
    """A client of one server. Calls are tried again for `patience_s` while it is away; each write is done once.

    `on_trouble` is told why something has to be tried again. `trust_env` takes proxies from the environment. Raises
    what `tidemark_client.errors` lists.
    """

    def __init__(
        self,
        url: str | ServerUrl,
        *,
        token: AsyncToken = None,
        patience_s: float = PATIENCE_S,
        timing: Timing | None = None,
        on_trouble: OnTrouble | None = None,
        trust_env: bool = False,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._link = AsyncLink(
            Options(
                url if isinstance(url, ServerUrl) else ServerUrl.parse(url), timing or Timing(), trust_env, ssl_context
            ),
            token,
        )
        self._patience_s = patience_s
        self._on_trouble = on_trouble

    @property
    def url(self) -> ServerUrl:
        """Where the server is."""
        return self._link.options.url

    async def publish(
        self,
        channel_id: str,
        data: Any,
        *,
        type: str | None = None,
        meta: Any = None,
        reply_to: str | None = None,
        key: str | None = None,
    ) -> Event:
        """Append one event and give it back as it is stored, once, however often it had to be sent.

        `key` is the Idempotency-Key; one is made where none is given. `Unreachable` and `Refused` with a 5xx leave
        open whether it is stored: the same key finds out.
        """
        draft = Draft(data, type, meta, reply_to)
        return stored_event(await self._call(publish_one(channel_id, draft, key or new_key())))

    async def publish_batch(self, channel_id: str, drafts: Sequence[Draft], *, key: str | None = None) -> list[Event]:
        """Append up to 100 events, all or none, next to each other; otherwise as `publish`."""
        return stored_events(await self._call(publish_batch(channel_id, drafts, key or new_key())))

    async def page(
        self,
        channel_id: str,
        *,
        cursor: str | None = None,
        since: str | None = None,
        types: list[str] | None = None,
        limit: int | None = None,
        wait_s: float = 0.0,
    ) -> Page:
        """The events after a cursor or from a time on; without either the newest. `wait_s` holds an empty one."""
        call = page_call(channel_id, cursor=cursor, since=since, types=types, limit=limit, wait_s=wait_s)
        return page_of(await self._call(call))

    async def read(
        self,
        channel_id: str,
        *,
        cursor: str | None = None,
        since: str | None = None,
        types: list[str] | None = None,
        on_gap: OnGap | None = None,
    ) -> AsyncIterator[Event]:
        """Every event after a cursor or from a time on, up to now. A gap goes to `on_gap`, or is raised."""
        asked = cursor or since or ""
        while True:
            page = page_of(await self._call(page_call(channel_id, cursor=cursor, since=since, types=types)))
            if (gap := gap_of(asked, page)) is not None:
                if on_gap is None:
                    raise GapFound(gap)
                on_gap(gap)
            for event in page.events:
                yield event
            if not page.has_more:
                return
            asked, cursor, since = page.cursor, page.cursor, None

    def follow(
        self,
        channel_id: str,
        *,
        cursor: str | None = None,
        since: str | None = None,
        newest: int = 0,
        types: list[str] | None = None,
        transports: Sequence[Transport] = TRANSPORTS,
        on_gap: OnGap | None = None,
    ) -> AsyncFollower:
        """Every event after a cursor, from a time on, with the `newest` so many, or from now on; and so on for ever."""
        asked = Asked(channel_id, types, cursor, since, newest, transports, self._link.is_renewable)
        return AsyncFollower(self._link, asked, on_gap, self._on_trouble)

    async def request(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        key: str | None = None,
    ) -> Any:
        """Any other call of the API: the JSON of its answer. A write gets an Idempotency-Key."""
        body = None if json is None else render_json(json)
        headers = {} if method == "GET" else {KEY_HEADER: key or new_key()}
        return await self._call(Call(method, path, query or {}, body, headers))

    async def aclose(self) -> None:
        """Give the connections back."""
        await self._link.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _call(self, call: Call) -> Any:
        retrying = Retrying(call, self._patience_s, time.monotonic(), self._link.options.timing)
        while True:
            match retrying.next_step(time.monotonic(), chance()):
                case Ask(asked):
                    try:
                        retrying.on_answer(await self._link.ask(asked))
                    except httpx2.TransportError as error:
                        says, is_passing = says_of(self.url, error)
                        retrying.on_failure(says, is_passing=is_passing)
                case Pause(seconds):
                    if (said := retrying.say()) is not None and self._on_trouble is not None:
                        self._on_trouble(said)
                    await asyncio.sleep(seconds)
                case Done(answer):
                    return parse_answer(answer)
                case finish:
                    raise finish.error
