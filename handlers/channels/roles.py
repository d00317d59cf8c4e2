"""`/api/v1` itself, and the named sets of scopes of `[auth] roles` (contract section 1)."""

from starlette.requests import Request
from starlette.responses import Response

from handlers.auth import require_admin
from handlers.broker import broker_of
from handlers.responses import json_answer


async def get_api(_: Request) -> Response:
    """Says that the API is here."""
    return json_answer({"ok": True})


async def list_roles(request: Request) -> Response:
    """The roles of the configuration, in its order."""
    require_admin(request)
    roles = broker_of(request).site.roles
    return json_answer({"roles": [{"id": name, "scopes": scopes} for name, scopes in roles.items()]})
