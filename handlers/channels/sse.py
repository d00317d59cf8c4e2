"""`/channels/{c}/sse`: one channel as Server-Sent Events (contract section 16).

`id:` is the event's ULID, so that EventSource resumes by Last-Event-ID; a filtered stream also sends bare `id:` lines,
so that its position moves. A gap is told by an event `cursor_expired` whose id is the position to go on from.
"""

import asyncio
from collections.abc import Coroutine
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from broker.closing import CURSOR_EXPIRED, DELETED, Closed
from broker.cursors import Start
from broker.errors import Unavailable
from broker.events import Frame
from broker.strictjson import render_json
from broker.subscription import Subscription
from handlers.beside import cancelled
from handlers.broker import Broker, broker_of
from handlers.channels.door import subscribed
from handlers.channels.following import Following, cursor_text, parse_following
from handlers.serving.unblock import unblock_of

RETRY = b"retry: 2000\n\n"
PING = b": ping\n\n"
HEADERS = {"content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no"}


class Gap(NamedTuple):
    """What was lost ends at this cursor, and the stream goes on from it."""

    cursor: str


async def follow_as_events(request: Request) -> Response:
    """Stream the channel's events from `Last-Event-ID` or `cursor`, else from the tip."""
    following = await parse_following(request, request.headers.get("last-event-id"))
    return EventStream(broker_of(request), following)


class EventStream(Response):
    """An answer that goes on until the subscription or the client ends."""

    def __init__(self, broker: Broker, following: Following) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._broker = broker
        self._following = following

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write until the subscription ends or the client goes; HEAD gets the headers only."""
        following, start = self._following, {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        if scope["method"] == "HEAD":
            await send(start)
            await send({"type": "http.response.body"})
            return
        with self._broker.push_room.taken(following.access.channel.id):
            await self._open(scope, receive, send, start)

    async def _open(self, scope: Scope, receive: Receive, send: Send, start: Message) -> None:
        following = self._following
        async with subscribed(self._broker, following.access, following.start, following.types) as subscription:
            await send(start)
            subscription.when_closing(unblock_of(scope))
            await _first_of(self._write(send, subscription), _until_gone(receive))

    async def _write(self, send: Send, subscription: Subscription) -> None:
        gap = self._following.gap_cursor
        await _send(send, RETRY + (b"" if gap is None else render_gap(Gap(gap))))
        try:
            await self._follow(send, subscription)
        except Closed as closed:
            self._broker.refusals.count_close(closed.code)
            await send({"type": "http.response.body", "body": await self._ending(closed)})

    async def _follow(self, send: Send, subscription: Subscription) -> None:
        is_filtered = self._following.types is not None
        while True:
            try:
                # Not by `wait_for`: that of Python 3.11 forgets a cancellation that meets a step.
                async with asyncio.timeout(self._broker.limits.ping_interval_s):
                    step = await subscription.next()
            except TimeoutError:
                await _send(send, PING)
            else:
                await _send(send, render_frames(step.frames, step.cursor if is_filtered else None))

    async def _ending(self, closed: Closed) -> bytes:
        if closed.code != CURSOR_EXPIRED.code:
            return render_close(closed)
        # The client comes back by itself, with the id that the gap event gave it.
        channel = self._following.access.channel
        try:
            meta = (await self._broker.channels.metas([channel]))[0]
        except Unavailable:
            return render_close(closed)
        if meta is None:
            return render_close(Closed(DELETED, None))
        return render_gap(Gap(cursor_text(channel, Start(meta.trimmed, own=True))))


def render_frames(frames: list[Frame], cursor: str | None) -> bytes:
    """Events as SSE, then a bare `id:` of the position where one is given."""
    parts = [b"id: %b\ndata: %b\n\n" % (event.id.encode(), event.wire) for event in frames]
    if cursor is not None:
        parts.append(b"id: %b\n\n" % cursor.encode())
    return b"".join(parts)


def render_gap(gap: Gap) -> bytes:
    """The event that tells of a gap; its id is where the stream goes on."""
    return b'event: cursor_expired\nid: %b\ndata: {"cursor":"%b"}\n\n' % (gap.cursor.encode(), gap.cursor.encode())


def render_close(closed: Closed) -> bytes:
    """The last event of a stream that the server ends: the close code of a socket, its reason, and the cursor."""
    told = {"code": closed.code, "reason": closed.reason, "cursor": closed.cursor}
    return b"event: close\ndata: %b\n\n" % render_json(told)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _first_of(*ways: Coroutine[None, None, None]) -> None:
    """Run both until one ends; raises what it raised, so that a defect ends the stream instead of silencing it."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await cancelled(*tasks)


async def _send(send: Send, body: bytes) -> None:
    if body:
        await send({"type": "http.response.body", "body": body, "more_body": True})
