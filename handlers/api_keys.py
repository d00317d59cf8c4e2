"""API keys, for operators: make, list and revoke (design section 6). A key is shown once, when it is made."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.api_keys import parse_request, render_key
from broker.change import Answer as Answering
from broker.errors import Invalid
from broker.storage.api_keys import SYSTEM_AUTH
from broker.strictjson import render_json
from broker.tenants import APIS, parse_tenant
from handlers.auth import optional_grant
from handlers.broker import broker_of
from handlers.idempotency import IDEMPOTENCY_KEY, Keeping, committed_answer, json_kept, key_of, once
from handlers.operations import Answer, Operation, Parameter
from handlers.requests import query_text, read_json
from handlers.responses import PRIVATE, json_answer


async def make_api_key(request: Request) -> Response:
    """Make a key for a tenant. It is shown in this answer only; a retry with the same Idempotency-Key shows it again
    for ten minutes, and is 409 `idempotency_expired` afterwards."""
    broker = broker_of(request)
    # On the admin listener there is no credential, and so nobody whose Idempotency-Key it could be.
    grant = optional_grant(broker, request.headers.get("authorization"), None)
    body = await read_json(request)
    if not isinstance(body, dict):
        raise Invalid("The body must be a JSON object")
    asked = parse_request(body.get("tenant"), body.get("scopes"), body.get("agent"))
    text, key = broker.api_keys.draw(asked, await broker.engine.now_ms())
    answer = Answering(201, render_json({"key": text, **render_key(key)}), is_secret=True)
    idempotency = key_of(request, grant, render_json(body))
    if idempotency is not None:
        # The answer lies with the tenant, whom the body names.
        await broker.answers.claim(idempotency)
    committed = await broker.api_keys.write(key, idempotency=idempotency, answer=answer)
    return committed_answer(committed)


async def list_api_keys(request: Request) -> Response:
    """The keys of a tenant, or of all, newest first, by their beginnings; revoked ones for thirty days."""
    tenant = query_text(request, "tenant")
    keys = await broker_of(request).api_keys.list(parse_tenant(tenant) if tenant is not None else None)
    return json_answer({"keys": [render_key(key) for key in keys]}, headers={"Cache-Control": PRIVATE})


async def revoke_api_key(request: Request) -> Response:
    """End a key: it is refused, and what it holds open is closed, in every process within a second."""
    broker = broker_of(request)
    grant = optional_grant(broker, request.headers.get("authorization"), None)

    async def act(_: Keeping) -> Answering:
        key = await broker.api_keys.revoke(request.path_params["key_id"])
        await broker.auth.look()
        return json_kept(render_key(key))

    return await once(request, grant, None, broker.engine.partition(SYSTEM_AUTH.id), act)


TIME: dict[str, Any] = {"type": "string", "format": "date-time"}
MEMBERS: dict[str, Any] = {
    "id": {"type": "string"},
    "prefix": {"type": "string", "description": "How the key begins."},
    "tenant": {"type": "string"},
    "scopes": {"type": "array", "items": {"enum": list(APIS)}},
    "agent": {"type": ["string", "null"], "description": "The calendar agent that it is for, null for all."},
    "created_at": TIME,
    "revoked_at": {**TIME, "type": ["string", "null"]},
}
API_KEY: dict[str, Any] = {"type": "object", "required": list(MEMBERS), "properties": MEMBERS}
MADE: dict[str, Any] = {
    "type": "object",
    "required": ["key", *MEMBERS],
    "properties": {"key": {"type": "string", "description": "Shown this once."}, **MEMBERS},
}
ASKED: dict[str, Any] = {
    "type": "object",
    "required": ["tenant", "scopes"],
    "properties": {
        "tenant": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$"},
        "scopes": {"type": "array", "minItems": 1, "items": {"enum": list(APIS)}},
        "agent": {"type": ["string", "null"], "description": "For a calendar key: the one agent that it is for."},
    },
}
OPERATIONS = (
    Operation(
        "GET",
        "/admin/keys",
        list_api_keys,
        "List API keys",
        "admin",
        {200: Answer("The keys", {"type": "object", "properties": {"keys": {"type": "array", "items": API_KEY}}})},
        refusals=(400, 503),
        parameters=(Parameter("tenant", "Only the keys of this tenant."),),
        tag="operation",
    ),
    Operation(
        "POST",
        "/admin/keys",
        make_api_key,
        "Make an API key",
        "admin",
        {201: Answer("The key, shown this once", MADE)},
        refusals=(400, 409, 413, 422, 503),
        parameters=(IDEMPOTENCY_KEY,),
        body=ASKED,
        tag="operation",
    ),
    Operation(
        "DELETE",
        "/admin/keys/{key_id}",
        revoke_api_key,
        "Revoke an API key",
        "admin",
        {200: Answer("The key as it is now", API_KEY)},
        refusals=(400, 404, 422, 503),
        parameters=(IDEMPOTENCY_KEY,),
        tag="operation",
    ),
)
