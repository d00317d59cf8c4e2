"""All routes of the server: the operations of every slice, the sockets, and the static files of the pages."""

from starlette.routing import BaseRoute, Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles

from handlers import health
from handlers.asyncapi import asyncapi_operations
from handlers.channels import event_operations
from handlers.channels.connections import CONNECTIONS
from handlers.channels.multiplex import operations as multiplex_operations
from handlers.channels.multiplex.socket import follow_many_on_socket
from handlers.channels.socket import follow_on_socket
from handlers.openapi import STATIC, openapi_operations
from handlers.operations import Operation, routes_of

OPERATIONS: tuple[Operation, ...] = (
    *health.OPERATIONS,
    *event_operations.OPERATIONS,
    *multiplex_operations.OPERATIONS,
    *asyncapi_operations(CONNECTIONS),
)


def all_routes() -> list[BaseRoute]:
    """Every route, in the order in which they are tried."""
    return [
        WebSocketRoute(event_operations.SOCKET_PATH, follow_on_socket),
        WebSocketRoute(multiplex_operations.MULTIPLEX_PATH, follow_many_on_socket),
        *routes_of([*OPERATIONS, *openapi_operations(OPERATIONS)]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
