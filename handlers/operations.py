"""The table of HTTP operations: what is routed, and what the OpenAPI document says of it, in one place.

A slice gives a list of `Operation`; `routes_of` makes Starlette routes of it, one per path, so that an unknown method
is 405 with every method in Allow. HEAD is answered as GET.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

Handler = Callable[[Request], Awaitable[ASGIApp]]
Access = Literal["none", "optional", "read", "publish", "token", "metrics", "admin", "tenant"]
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or header of an operation; `schema` is JSON Schema."""

    name: str
    description: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    place: Literal["query", "header"] = "query"


@dataclass(frozen=True, slots=True)
class Answer:
    """A success of an operation: what it means, and the schema of its JSON body (None for none or for other media)."""

    description: str
    schema: Schema | None = None
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `refusals` are the statuses of its errors beside those that its access implies.

    `error` is the schema of their body where the API has its own.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    access: Access
    answers: Mapping[int, Answer]
    refusals: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    tag: str = "channels"
    error: Schema | None = None


def routes_of(operations: Sequence[Operation]) -> list[Route]:
    """One Starlette route per path, in the order of first mention."""
    by_path: dict[str, dict[str, Handler]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation.handler
    return [Route(path, _dispatch(handlers), methods=list(handlers)) for path, handlers in by_path.items()]


def _dispatch(handlers: Mapping[str, Handler]) -> Handler:
    by_method = {**handlers, "HEAD": handlers["GET"]} if "GET" in handlers else dict(handlers)

    async def endpoint(request: Request) -> ASGIApp:
        return await by_method[request.method](request)

    return endpoint
