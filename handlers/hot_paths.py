"""The paths that carry most requests, dispatched without a router: publish, poll, and the socket of a channel.

Every other path, and every method that is not here, takes the usual way, through Starlette's router and its layers for
exceptions. What they cost is said in `answering`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from broker.errors import Refusal
from handlers.responses import refusal_answer

PREFIX = "/api/v1/channels/"

OnRequest = Callable[[Request], Awaitable[ASGIApp]]
OnSocket = Callable[[WebSocket], Awaitable[None]]


class HotPath(NamedTuple):
    """What is done at `PREFIX`, a channel's id and `suffix`; `path` is its template, as metrics name it."""

    suffix: str
    path: str
    on_request: Mapping[str, OnRequest]
    on_socket: OnSocket | None


class HotPaths:
    """ASGI app before the one with all routes. What it serves raises refusals only; all else is a defect."""

    def __init__(self, app: ASGIApp, paths: tuple[HotPath, ...]) -> None:
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a hot path; pass on anything else."""
        hot = self._find(scope)
        if hot is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket" and hot.on_socket is not None:
            await hot.on_socket(WebSocket(scope, receive, send))
        else:
            try:
                answer: ASGIApp = await hot.on_request[scope["method"]](Request(scope, receive))
            except Refusal as refusal:
                answer = refusal_answer(refusal, scope)
            await answer(scope, receive, send)

    def _find(self, scope: Scope) -> HotPath | None:
        path: str = scope.get("path", "")
        if not path.startswith(PREFIX):
            return None
        for hot in self._paths:
            if path.endswith(hot.suffix):
                channel_id = path[len(PREFIX) : -len(hot.suffix)]
                if channel_id and "/" not in channel_id and _serves(hot, scope):
                    scope["path_params"], scope["route"] = {"channel_id": channel_id}, hot
                    return hot
        return None


def _serves(hot: HotPath, scope: Scope) -> bool:
    if scope["type"] == "websocket":
        return hot.on_socket is not None
    return scope["method"] in hot.on_request
