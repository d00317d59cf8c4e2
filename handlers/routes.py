"""All routes of the server: the operations of every slice, the sockets, and the static files of the pages."""

from collections.abc import Mapping
from dataclasses import replace

from starlette.routing import BaseRoute, Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from handlers import console, health
from handlers.admin import ADMIN, for_admins
from handlers.asyncapi import asyncapi_operations
from handlers.calendar import operations as calendar
from handlers.channels import (
    channel_operations,
    event_operations,
    feed_operations,
    history,
    identity_operations,
    own_tenant,
    scheduled_operations,
    webhook_operations,
)
from handlers.channels.connections import CHANNEL_SOCKET, CONNECTIONS
from handlers.channels.event_schemas import EVENT
from handlers.channels.multiplex import operations as multiplex_operations
from handlers.channels.multiplex.socket import follow_many_on_socket
from handlers.channels.socket import follow_on_socket
from handlers.cuey import operations as cuey
from handlers.envelopes import Envelope
from handlers.hot_paths import HotPath
from handlers.lifecycle import operations as lifecycle
from handlers.live import operations as live
from handlers.openapi import STATIC, openapi_operations
from handlers.operations import Operation, routes_of
from handlers.responses import json_answer

DOMAIN_SOCKETS = (
    ("lifecycleTeam", lifecycle.FOLLOW_PATH, "the lifecycle events of a tenant", lifecycle.messages_of),
    ("cueyTeam", cuey.FOLLOW_PATH, "the scheduled webhooks and crons of a tenant", cuey.messages_of),
    ("calendar", calendar.FOLLOW_PATH, "the events of a calendar", calendar.messages_of),
    ("liveTeam", live.TEAM_PATH, "the live events of a tenant", live.team_messages),
    ("liveWatch", live.WATCH_PATH, "a live event, as its viewers see it", live.watch_messages),
)
CONNECTIONS_OF_ALL = (
    *CONNECTIONS,
    *(
        replace(
            CHANNEL_SOCKET,
            name=name,
            path=path,
            summary=f"What happens to {what}; a channel's socket like any other",
            sends=messages_of(EVENT),
        )
        for name, path, what, messages_of in DOMAIN_SOCKETS
    ),
)
"""Every connection, and what the domains tell on theirs."""

ENVELOPES: Mapping[str, Envelope] = {
    **lifecycle.ENVELOPES,
    **cuey.ENVELOPES,
    **live.ENVELOPES,
    **calendar.ENVELOPES,
}
"""The error bodies of the APIs, by the beginnings of their paths."""

OPERATIONS: tuple[Operation, ...] = (
    *console.OPERATIONS,
    *health.OPERATIONS,
    *channel_operations.OPERATIONS,
    *event_operations.OPERATIONS,
    *history.OPERATIONS,
    *scheduled_operations.OPERATIONS,
    *feed_operations.OPERATIONS,
    *webhook_operations.OPERATIONS,
    *identity_operations.OPERATIONS,
    *own_tenant.OPERATIONS,
    *multiplex_operations.OPERATIONS,
    *lifecycle.OPERATIONS,
    *cuey.OPERATIONS,
    *calendar.OPERATIONS,
    *live.OPERATIONS,
    *live.PAGES,
    *asyncapi_operations(CONNECTIONS_OF_ALL),
    *map(for_admins, ADMIN),
)


EVENTS = event_operations.EVENTS_PATH
HOT_PATHS = (
    HotPath("/events", EVENTS, {each.method: each.handler for each in OPERATIONS if each.path == EVENTS}, None),
    HotPath("/ws", event_operations.SOCKET_PATH, {}, follow_on_socket),
)


def all_operations() -> list[Operation]:
    """Every HTTP operation, with those that serve the document of all others."""
    return [*OPERATIONS, *openapi_operations(OPERATIONS)]


def all_routes() -> list[BaseRoute]:
    """Every route, in the order in which they are tried."""
    return [
        WebSocketRoute(event_operations.SOCKET_PATH, follow_on_socket),
        WebSocketRoute(multiplex_operations.MULTIPLEX_PATH, follow_many_on_socket),
        *routes_of(all_operations()),
        Mount("/static", StaticFiles(directory=STATIC)),
        WebSocketRoute("/{path:path}", no_socket),
    ]


async def no_socket(socket: WebSocket) -> None:
    """The answer to a handshake where no socket is: 404 (Starlette would answer 403)."""
    await socket.send_denial_response(json_answer({"error": "Not Found"}, 404))
