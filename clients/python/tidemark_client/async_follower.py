"""The asyncio face of a reader: an iterator that gives every event once, in order, whatever breaks meanwhile."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from types import TracebackType
from typing import Self

import httpx2
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tidemark_client.answers import Call
from tidemark_client.asked import Asked
from tidemark_client.async_link import AsyncLink
from tidemark_client.errors import Gap, GapFound
from tidemark_client.event import Event
from tidemark_client.face import (
    BROKEN,
    OnGap,
    OnTrouble,
    answer_of,
    chance,
    close_of,
    handshake_answer_of,
    is_stream,
    says_of,
    stream_headers,
)
from tidemark_client.following import Follow
from tidemark_client.inbox import Given, Trouble
from tidemark_client.steps import Ask, Finish, Open, Pause, Step


class AsyncFollower:
    """Iterate it. `cursor` is what to keep in order to go on after the end of this process.

    A gap is given to `on_gap`; without one it is raised as `GapFound`, and iterating again goes on behind it. It waits
    for a server that is away for as long as that takes; `on_trouble` is told why.
    """

    def __init__(self, link: AsyncLink, asked: Asked, on_gap: OnGap | None, on_trouble: OnTrouble | None) -> None:
        self._link = link
        self._core = Follow(asked, link.options.timing)
        self._on_gap = on_gap
        self._on_trouble = on_trouble
        self._is_closed = False
        self._given = self._everything()

    @property
    def cursor(self) -> str | None:
        """Behind the last event that was given, and behind what is not for this reader. None before that is known."""
        return self._core.cursor

    async def begin(self) -> Self:
        """Settle where it begins: what is published from here on will be given. Else the first `anext` settles it."""
        while not self._core.has_begun:
            await self._do(self._core.next_step(time.monotonic(), chance()))
            if not self._core.has_begun:
                for given in self._taken():
                    self._tell(given)
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event. Raises `GapFound`, `ChannelEnded`, `Cut`, and `Refused` for what will not pass."""
        while True:
            try:
                given = await anext(self._given)
            except StopAsyncIteration:
                if self._core.error is not None:
                    raise self._core.error from None
                if self._is_closed:
                    raise
                # Something of the caller's own broke in, such as a timeout: no end of the reading.
                self._given = self._everything()
                continue
            if isinstance(given, Event):
                return given
            self._tell(given)

    async def aclose(self) -> None:
        """Leave the connection. `cursor` stays."""
        self._is_closed = True
        await self._given.aclose()

    async def __aenter__(self) -> Self:
        """It begins here."""
        return await self.begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _everything(self) -> AsyncGenerator[Given, None]:
        # The page with which it began may have brought events, and a socket may be silent for long.
        for given in self._taken():
            yield given
        while True:
            step = self._core.next_step(time.monotonic(), chance())
            if isinstance(step, Open):
                way = self._socket(step) if step.transport == "ws" else self._stream(step)
                async with aclosing(way) as everything:
                    async for given in everything:
                        yield given
            else:
                await self._do(step)
            for given in self._taken():
                yield given

    async def _do(self, step: Step) -> None:
        match step:
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Ask(call):
                await self._ask(call)
            case Finish(error):
                raise error

    def _tell(self, given: Given) -> None:
        if isinstance(given, Trouble):
            if self._on_trouble is not None:
                self._on_trouble(given.text)
        elif isinstance(given, Gap):
            if self._on_gap is None:
                raise GapFound(given)
            self._on_gap(given)

    def _taken(self) -> Iterator[Given]:
        while (given := self._core.take()) is not None:
            yield given

    async def _ask(self, call: Call) -> None:
        try:
            answer = await self._link.ask(call)
        except httpx2.TransportError as error:
            self._failed(error)
        else:
            self._core.on_answer(answer, time.monotonic())

    async def _socket(self, opened: Open) -> AsyncGenerator[Given, None]:
        options, token = self._link.options, await self._link.token()
        try:
            async with connect(options.url.socket(options.path(opened)), **options.socket_options(token)) as socket:
                self._core.on_open(time.monotonic())
                while self._core.is_open:
                    try:
                        async with asyncio.timeout(max(0.0, self._core.due_s - time.monotonic())):
                            frame = await socket.recv()
                    except TimeoutError:
                        await self._wake()
                    else:
                        self._core.on_frame(frame, time.monotonic())
                    for given in self._taken():
                        yield given
        except ConnectionClosed as closed:
            self._core.on_close(*close_of(closed), time.monotonic())
        except InvalidStatus as refused:
            self._core.on_refusal(handshake_answer_of(refused.response), time.monotonic())
        except BROKEN as error:
            self._failed(error)

    async def _stream(self, opened: Open) -> AsyncGenerator[Given, None]:
        try:
            async with self._link.stream(opened, stream_headers(await self._link.token())) as response:
                if not is_stream(response):
                    await response.aread()
                    self._core.on_refusal(answer_of(response), time.monotonic())
                    return
                self._core.on_open(time.monotonic())
                self._link.options.let_be_silent(response)
                async for chunk in self._chunks(response):
                    self._core.on_chunk(chunk, time.monotonic())
                    for given in self._taken():
                        yield given
                    if not self._core.is_open:
                        return
            if self._core.is_open:
                self._core.on_close(None, "", time.monotonic())
        except httpx2.TransportError as error:
            self._failed(error)

    async def _chunks(self, response: httpx2.Response) -> AsyncIterator[bytes]:
        """The bytes of a stream, until it ends or is silent for too long."""
        chunks = response.aiter_raw()
        while True:
            try:
                async with asyncio.timeout(max(0.0, self._core.due_s - time.monotonic())):
                    chunk = await anext(chunks)
            except TimeoutError:
                await self._wake()
                return
            except StopAsyncIteration:
                return
            yield chunk

    async def _wake(self) -> None:
        probe = self._core.wake(time.monotonic())
        if probe is not None:
            try:
                answer = await self._link.ask(probe.call)
            except httpx2.TransportError:
                self._core.on_probe(None, time.monotonic())
            else:
                self._core.on_probe(answer, time.monotonic())

    def _failed(self, error: BaseException) -> None:
        says, is_passing = says_of(self._link.options.url, error)
        self._core.on_failure(says, time.monotonic(), is_passing=is_passing)
