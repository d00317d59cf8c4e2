"""Following a channel over a WebSocket, across restarts: every event once and in order, or a word about the gap.

The follower's state is one cursor. It moves with each event that was taken, so whatever breaks, the next connection
goes on right behind the last event; and it is the proof against duplicates, as ids only rise.
"""

import asyncio
import json
import random
import ssl
import time
from collections.abc import AsyncGenerator, Iterator
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from handlers.client.api import AGENT, Refused, Token, parse_answer, reason_of
from handlers.client.backoff import pauses
from handlers.client.endings import Cut, Resume, after_close
from handlers.client.persistence import Say
from handlers.client.server_url import ServerUrl

STEADY_S = 5.0
OPEN_TIMEOUT_S = 10.0
MAX_FRAME_BYTES = 4 << 20


class Event(NamedTuple):
    """An event as the server sent it, and its JSON read."""

    text: str
    fields: dict[str, Any]


class Following(NamedTuple):
    """What to follow: a channel of a server, only these types (None: all), with the token of the moment.

    `is_renewable` tells that `token` gives a new one each time, so that an expired one is no reason to stop.
    """

    url: ServerUrl
    channel_id: str
    types: str | None
    token: Token
    is_renewable: bool = False


class Follower:
    """One reader. `cursor` is what to resume from; `events` moves it."""

    def __init__(self, following: Following, cursor: str, say: Say) -> None:
        self.cursor = cursor
        self._following = following
        self._taken = ""
        self._said = ""
        self._say = say
        self._pauses = _first_pauses()

    async def events(self) -> AsyncGenerator[Event, None]:
        """All events after the cursor, for ever. Raises `Ended`, `Cut`, and `Refused` for what will not pass."""
        while True:
            began_s, before = time.monotonic(), self.cursor
            try:
                async with self._connect() as socket:
                    async for event in self._received(socket):
                        yield event
            except ConnectionClosed as closed:
                resume = self._after(closed)
            except (InvalidHandshake, OSError, EOFError) as error:
                resume = self._failed(error)
            if self.cursor != before or time.monotonic() - began_s > STEADY_S:
                self._pauses = _first_pauses()
            await self._come_back(resume)

    def _connect(self) -> connect:
        """Without a proxy, as the plain calls."""
        following = self._following
        path = following.url.path("channels", following.channel_id, "ws", cursor=self.cursor, types=following.types)
        token = following.token()
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return connect(
            following.url.socket(path),
            proxy=None,
            compression=None,
            additional_headers=headers,
            user_agent_header=AGENT,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=1,
            max_size=MAX_FRAME_BYTES,
        )

    async def _received(self, socket: ClientConnection) -> AsyncGenerator[Event, None]:
        while True:
            text = await socket.recv()
            event = parse_event(text)
            if event.fields["id"] > self._taken:
                yield event
                self.cursor = self._taken = event.fields["id"]

    def _after(self, closed: ConnectionClosed) -> Resume:
        frame = closed.rcvd
        code, reason = (None, "") if frame is None else (frame.code, frame.reason)
        return after_close(code, reason, cursor=self.cursor, is_renewable=self._following.is_renewable)

    def _failed(self, error: Exception) -> Resume:
        """What to do without a connection; raises `Refused` and `Cut` where there will be none later either."""
        if isinstance(error, InvalidStatus):
            return _after_refusal(error)
        if isinstance(error, ssl.SSLCertVerificationError):
            raise Cut(f"{self._following.url.origin} cannot be trusted: {reason_of(error)}") from error
        return Resume(None, f"{self._following.url.origin} does not answer: {reason_of(error)}")

    async def _come_back(self, resume: Resume) -> None:
        self.cursor = resume.cursor or self.cursor
        if resume.is_gap:
            # After a fail-over the log may have ended before what was read last.
            self._taken = ""
        says = f"{resume.says}; resuming after {self.cursor}"
        if says != self._said:
            self._say(says)
        self._said = says
        await asyncio.sleep(max(next(self._pauses), resume.wait_s))


def _first_pauses() -> Iterator[float]:
    # Not a secret: only that not everybody comes back at once.
    return pauses(random.random)


def _after_refusal(error: InvalidStatus) -> Resume:
    response = error.response
    try:
        parse_answer(response.status_code, bytes(response.body or b""), response.headers.get("Retry-After"))
    except Refused as refused:
        if not refused.is_passing and refused.status < 500:
            raise
        return Resume(None, str(refused), refused.retry_after_s or 0.0)
    raise Cut("The server does not open WebSockets") from error


def parse_event(frame: str | bytes) -> Event:
    """Read a frame; raises `Cut` for one that is no event, as from a server of another kind."""
    text = frame if isinstance(frame, str) else frame.decode(errors="replace")
    try:
        fields = json.loads(text)
        if not isinstance(fields["id"], str):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        raise Cut("The server sent what is no event: is this a Tidemark server?") from None
    return Event(text, fields)
