"""The routes of the channels API, put together from its files."""

from starlette.routing import BaseRoute, WebSocketRoute

from handlers.channels.events import delete_event, get_event, get_replies, get_thread
from handlers.channels.poll import poll
from handlers.channels.publish import publish
from handlers.channels.socket import follow_on_socket, upgrade_required
from handlers.channels.sse import follow_as_events
from handlers.operations import Answer, Operation, Parameter, routes_of

CHANNEL = "/api/v1/channels/{channel_id}"
EVENT = CHANNEL + "/events/{event_id}"
SOCKET = CHANNEL + "/ws"

OPERATIONS: tuple[Operation, ...] = ()


def channel_routes() -> list[BaseRoute]:
    """All routes of the channels API."""
    return [WebSocketRoute(SOCKET, follow_on_socket), *routes_of(OPERATIONS)]
