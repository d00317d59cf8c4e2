"""What a cache asked the broker, written down where the requests arrive."""

from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlers.serving.whole_answer import WHOLE


@dataclass(slots=True)
class Asked:
    """One request as the broker got it, and what it answered (0: nothing yet)."""

    method: str
    target: str
    headers: Headers
    client: tuple[str, int] | None
    status: int = 0


@dataclass(slots=True)
class Origin:
    """Every HTTP request that reached the broker, in order of arrival."""

    asked: list[Asked] = field(default_factory=list)

    @property
    def targets(self) -> list[str]:
        """Path and query of each request."""
        return [each.target for each in self.asked]

    def around(self, app: ASGIApp) -> ASGIApp:
        """The app, with every HTTP request to it written down."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            request = _request_of(scope)
            self.asked.append(request)

            async def noting(message: Message) -> None:
                if message["type"] in ("http.response.start", WHOLE):
                    request.status = message["status"]
                await send(message)

            await app(scope, receive, noting)

        return counted


def _request_of(scope: Any) -> Asked:
    query = scope["query_string"].decode("latin-1")
    target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
    return Asked(scope["method"], target, Headers(scope=scope), scope["client"])
