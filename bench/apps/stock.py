"""What one writes first with Starlette: a set of sockets and a loop of `await send_text`."""

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from bench.event import around_data


def stock_app() -> Starlette:
    """The app; its sockets are at `/`, and so is the publish."""
    sockets: set[WebSocket] = set()
    before, after = (part.decode() for part in around_data())

    async def publish(request: Request) -> Response:
        event = orjson.loads(await request.body())
        text = before + orjson.dumps(event["data"]).decode() + after
        for socket in list(sockets):
            await socket.send_text(text)
        return Response(b"{}", 201, media_type="application/json")

    async def follow(socket: WebSocket) -> None:
        await socket.accept()
        sockets.add(socket)
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            pass
        finally:
            sockets.discard(socket)

    return Starlette(routes=[Route("/", publish, methods=["POST"]), WebSocketRoute("/", follow)])
