"""All routes of the server: the operations of every slice, the sockets, and the static files of the pages."""

from starlette.routing import BaseRoute, Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles

from handlers import health
from handlers.admin import ADMIN, for_admins
from handlers.channels import (
    channel_operations,
    event_operations,
    feed_operations,
    identity_operations,
    webhook_operations,
)
from handlers.channels.socket import follow_on_socket
from handlers.openapi import STATIC, openapi_operations
from handlers.operations import Operation, routes_of

OPERATIONS: tuple[Operation, ...] = (
    *health.OPERATIONS,
    *channel_operations.OPERATIONS,
    *event_operations.OPERATIONS,
    *feed_operations.OPERATIONS,
    *webhook_operations.OPERATIONS,
    *identity_operations.OPERATIONS,
    *map(for_admins, ADMIN),
)


def all_operations() -> list[Operation]:
    """Every HTTP operation, with those that serve the document of all others."""
    return [*OPERATIONS, *openapi_operations(OPERATIONS)]


def all_routes() -> list[BaseRoute]:
    """Every route, in the order in which they are tried."""
    return [
        WebSocketRoute(event_operations.SOCKET_PATH, follow_on_socket),
        *routes_of(all_operations()),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
