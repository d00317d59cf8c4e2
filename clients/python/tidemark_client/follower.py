"""The blocking face of a reader: an iterator that gives every event once, in order, whatever breaks meanwhile."""

import time
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Self

import httpx2
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tidemark_client.answers import Call
from tidemark_client.asked import Asked
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
from tidemark_client.link import Link
from tidemark_client.steps import Ask, Finish, Open, Pause, Step


class Follower:
    """Iterate it. `cursor` is what to keep in order to go on after the end of this process.

    A gap is given to `on_gap`; without one it is raised as `GapFound`, and iterating again goes on behind it. It waits
    for a server that is away for as long as that takes; `on_trouble` is told why.
    """

    def __init__(self, link: Link, asked: Asked, on_gap: OnGap | None, on_trouble: OnTrouble | None) -> None:
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

    def begin(self) -> Self:
        """Settle where it begins: what is published from here on will be given. Else the first `next` settles it."""
        while not self._core.has_begun:
            self._do(self._core.next_step(time.monotonic(), chance()))
            if not self._core.has_begun:
                for given in self._taken():
                    self._tell(given)
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        """The next event. Raises `GapFound`, `ChannelEnded`, `Cut`, and `Refused` for what will not pass."""
        while True:
            try:
                given = next(self._given)
            except StopIteration:
                if self._core.error is not None:
                    raise self._core.error from None
                if self._is_closed:
                    raise
                # Something of the caller's own broke in, such as a token function that raised: no end of the reading.
                self._given = self._everything()
                continue
            if isinstance(given, Event):
                return given
            self._tell(given)

    def close(self) -> None:
        """Leave the connection. `cursor` stays."""
        self._is_closed = True
        self._given.close()

    def __enter__(self) -> Self:
        """It begins here."""
        return self.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _everything(self) -> Generator[Given, None, None]:
        # The page with which it began may have brought events, and a socket may be silent for long.
        yield from self._taken()
        while True:
            step = self._core.next_step(time.monotonic(), chance())
            if isinstance(step, Open):
                yield from self._socket(step) if step.transport == "ws" else self._stream(step)
            else:
                self._do(step)
            yield from self._taken()

    def _do(self, step: Step) -> None:
        match step:
            case Pause(seconds):
                time.sleep(seconds)
            case Ask(call):
                self._ask(call)
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

    def _ask(self, call: Call) -> None:
        try:
            answer = self._link.ask(call)
        except httpx2.TransportError as error:
            self._failed(error)
        else:
            self._core.on_answer(answer, time.monotonic())

    def _socket(self, opened: Open) -> Iterator[Given]:
        options, token = self._link.options, self._link.token()
        try:
            with connect(options.url.socket(options.path(opened)), **options.socket_options(token)) as socket:
                self._core.on_open(time.monotonic())
                while self._core.is_open:
                    try:
                        frame = socket.recv(max(0.0, self._core.due_s - time.monotonic()))
                    except TimeoutError:
                        self._wake()
                    else:
                        self._core.on_frame(frame, time.monotonic())
                    yield from self._taken()
        except ConnectionClosed as closed:
            self._core.on_close(*close_of(closed), time.monotonic())
        except InvalidStatus as refused:
            self._core.on_refusal(handshake_answer_of(refused.response), time.monotonic())
        except BROKEN as error:
            self._failed(error)

    def _stream(self, opened: Open) -> Iterator[Given]:
        try:
            with self._link.stream(opened, stream_headers(self._link.token())) as response:
                if not is_stream(response):
                    response.read()
                    self._core.on_refusal(answer_of(response), time.monotonic())
                    return
                self._core.on_open(time.monotonic())
                self._link.options.let_be_silent(response)
                for chunk in response.iter_raw():
                    self._core.on_chunk(chunk, time.monotonic())
                    yield from self._taken()
                    if not self._core.is_open:
                        return
            self._core.on_close(None, "", time.monotonic())
        except httpx2.TransportError as error:
            self._failed(error)

    def _wake(self) -> None:
        probe = self._core.wake(time.monotonic())
        if probe is not None:
            try:
                answer = self._link.ask(probe.call)
            except httpx2.TransportError:
                self._core.on_probe(None, time.monotonic())
            else:
                self._core.on_probe(answer, time.monotonic())

    def _failed(self, error: BaseException) -> None:
        says, is_passing = says_of(self._link.options.url, error)
        self._core.on_failure(says, time.monotonic(), is_passing=is_passing)
