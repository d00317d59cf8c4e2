"""uvicorn with bounds, and a stop that loses nothing: drain first, then close, then end."""

import asyncio
import gc
import logging
import resource
import socket
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any, cast

from uvicorn import Config, Server

from handlers.serving.drain import Drain
from handlers.serving.gate import Gate
from handlers.serving.http_protocol import BoundedHttpProtocol
from handlers.serving.refusals import Kind
from handlers.serving.sockets import abort, taken_bytes
from handlers.serving.stalls import StallWatch
from handlers.serving.tls import Tls
from handlers.serving.tls_connection import TlsConnection
from handlers.serving.ws_asked import AskedProtocol
from handlers.serving.ws_protocol import SocketProtocol

logger = logging.getLogger(__name__)

_STALL_CHECKS = 8
_POLL_S = 0.05
_AFTER_DRAIN_S = 1.0
_OTHER_FILES = 512

GC_THRESHOLDS = (20_000, 20, 20)
"""A publish makes a dozen objects that may be part of cycles and are not: with Python's own thresholds (700, 10, 10)
looking at them took 4 % of its CPU time (8 of 197 us, sampled)."""


def build_config(app: Any, gate: Gate, tls: Tls | None = None, *, host: str = "127.0.0.1", port: int = 0) -> Config:
    """uvicorn's configuration for `app` (ASGI 3) with the bounded protocols; logging is left as it is."""
    limits = gate.limits
    http = partial(BoundedHttpProtocol, gate=gate) if tls is None else partial(TlsConnection, gate=gate, tls=tls)
    return Config(
        app,
        host=host,
        port=port,
        http=cast("type[asyncio.Protocol]", http),
        # Never made by uvicorn: our HTTP protocol hands its connections over itself (`ws_asked`).
        ws=SocketProtocol,
        interface="asgi3",
        lifespan="on",
        timeout_keep_alive=limits.keep_alive_s,  # type: ignore[arg-type]
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
    )


class DrainingServer(Server):
    """Stops in three steps, each bounded; the whole takes `shutdown_s` at most, beside the app's own end.

    1. `drain` begins, nobody new is let in, idle HTTP connections are closed; requests under way and everything held
       open is left to the app, which closes its sockets, streams and long polls within `drain_s`.
    2. Sockets left over are closed with 1012. HTTP requests still go on.
    3. After `shutdown_s`, or at a second signal, everything left is aborted.
    """

    def __init__(
        self,
        config: Config,
        gate: Gate,
        drain: Drain,
        *,
        freeze_memory: bool = False,
        on_serving: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(config)
        self._gate = gate
        self._drain = drain
        self._freeze_memory = freeze_memory
        self._on_serving = on_serving
        self._stalls: StallWatch[asyncio.Transport] = StallWatch(gate.limits.write_stall_s)
        self._stall_task: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal drains, the second ends. Nothing is raised again afterwards: a drain ends with status 0."""
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True

    async def serve_on(self, sockets: list[socket.socket]) -> None:
        """Serve on bound sockets until `should_exit`, without signal handlers (for tests and embedding)."""
        await self._serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the app and listen, then begin to watch for stalls."""
        await super().startup(sockets)
        self._stall_task = asyncio.create_task(self._watch_stalls(), name="stall watch")
        if self._freeze_memory:
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLDS)
        if self._on_serving is not None:
            self._on_serving()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, close, end; see the class."""
        limits = self._gate.limits
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        drained_by_s = began_s + min(limits.drain_s + _AFTER_DRAIN_S, limits.shutdown_s)
        self._drain.begin()
        self._stop_listening(sockets or [])
        self._shut(TlsConnection, BoundedHttpProtocol)
        if not await self._becomes_idle(drained_by_s):
            self._shut(AskedProtocol, SocketProtocol)
        if not await self._becomes_idle(began_s + limits.shutdown_s):
            await self._end_everything()
        if self._stall_task is not None:
            self._stall_task.cancel()
        if not self.force_exit:
            await self.lifespan.shutdown()

    def _stop_listening(self, sockets: list[socket.socket]) -> None:
        for server in self.servers:
            server.close()
        for sock in sockets:
            sock.close()

    def _shut(self, *kinds: type[TlsConnection | BoundedHttpProtocol | AskedProtocol | SocketProtocol]) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, kinds):
                connection.shutdown()

    async def _becomes_idle(self, until_s: float) -> bool:
        """Whether all connections and requests ended by `until_s` (or the second signal)."""
        loop, state = asyncio.get_running_loop(), self.server_state
        while (state.connections or state.tasks) and not self.force_exit:
            if loop.time() >= until_s:
                return False
            await asyncio.sleep(_POLL_S)
        return not (state.connections or state.tasks)

    async def _end_everything(self) -> None:
        state = self.server_state
        logger.warning(
            "ending %d connections and %d requests",
            len(state.connections),
            len(state.tasks),
        )
        for connection in list(state.connections):
            abort(connection.transport)
        tasks = set(state.tasks)  # each is told that its client is gone, and ends by itself if it listens
        if tasks:
            _, tasks = await asyncio.wait(tasks, timeout=_AFTER_DRAIN_S)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_AFTER_DRAIN_S)

    async def _watch_stalls(self) -> None:
        while True:
            await asyncio.sleep(self._gate.limits.write_stall_s / _STALL_CHECKS)
            try:
                self._abort_stalled(asyncio.get_running_loop().time())
            except Exception:
                logger.exception("looking for stalled connections failed; the next look tries again")

    def _abort_stalled(self, now_s: float) -> None:
        transports = [connection.transport for connection in self.server_state.connections]
        waiting = [(each, taken_bytes(each)) for each in transports if each.get_write_buffer_size()]
        for transport in self._stalls.stalled(waiting, now_s):
            self._gate.refusals.count(Kind.WRITE_STALL)
            abort(transport)


def allow_open_files(connections: int) -> int:
    """Raise the soft limit of open files so that `connections` fit, as far as the hard limit allows; the limit then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft
