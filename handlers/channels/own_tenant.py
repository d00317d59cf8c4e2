"""`GET /api/v1/tenant`: what an API key is good for, as `/tokens/claims` tells it of a channel token."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.errors import Forbidden
from broker.scopes import Grant
from broker.tenants import APIS, CHANNELS_OF_TENANTS
from handlers.auth import NO_RIGHT, require_token
from handlers.operations import Answer, Operation
from handlers.responses import PRIVATE, json_answer


async def get_tenant(request: Request) -> Response:
    """The tenant of the API key of this request, the APIs that the key may call, and the channels that it may read.

    A calendar's own channel is named by the answers about the calendar; a key of one agent reads none.
    """
    grant = require_token(request)
    if grant.tenant is None:
        raise Forbidden(NO_RIGHT)
    return json_answer(render_tenant(grant, grant.tenant), headers={"Cache-Control": PRIVATE})


def render_tenant(grant: Grant, tenant: str) -> dict[str, Any]:
    """What a key's grant says."""
    names = (f"{prefix}{tenant}" for prefix in CHANNELS_OF_TENANTS)
    return {
        "tenant": tenant,
        "scopes": list(grant.apis),
        "agent": grant.agent,
        "channels": [name for name in names if grant.may_subscribe(name)],
    }


TENANT: dict[str, Any] = {
    "type": "object",
    "required": ["tenant", "scopes", "agent", "channels"],
    "properties": {
        "tenant": {"type": "string"},
        "scopes": {"type": "array", "items": {"enum": list(APIS)}},
        "agent": {"type": ["string", "null"], "description": "The calendar agent that the key is for, null for all."},
        "channels": {"type": "array", "items": {"type": "string"}, "description": "Of the tenant; calendars beside."},
    },
}
OPERATIONS = (
    Operation(
        "GET",
        "/api/v1/tenant",
        get_tenant,
        "What the API key of this request is good for",
        "tenant",
        {200: Answer("The tenant, and what the key may do", TENANT)},
        tag="tokens",
    ),
)
