"""Trusted keys: list, add, remove (contract section 5).

What is changed here acts at once in this process, and within a second in every other one: tokens of a removed key
verify no more, and what they hold open is closed with 4401.
"""

from starlette.requests import Request
from starlette.responses import Response

from broker.change import Answer
from broker.ids import render_time
from broker.trust import Document, add_key, check_signer, parse_key, remove_key
from handlers.auth import read_as_admin, require_admin
from handlers.broker import broker_of
from handlers.idempotency import Keeping, json_kept, once
from handlers.responses import json_answer
from handlers.trust_watch import TRUSTED_KEYS

REVOKED = json_kept({"ok": True})


async def list_keys(request: Request) -> Response:
    """The keys whose tokens are taken beside this server's own, which is at /.well-known/jwks.json."""
    require_admin(request)
    return json_answer({"keys": await broker_of(request).trust.document()})


async def trust_key(request: Request) -> Response:
    """Take tokens that this key signed from now on, up to its ceiling `max_scopes`.

    Without `max_scopes` the ceiling is `sub:*`. A token over its ceiling is refused whole. Where `issuer` is set, it
    must be the token's `iss`, and stands before the `publisher_id` of its events. Set it for every key that may
    publish: without it a partner's publishers have bare names, which may be those of somebody else.
    """
    broker, own_kid = broker_of(request), broker_of(request).signing_key.kid
    grant, body = await read_as_admin(request)
    key, created_at = parse_key(body), render_time(await broker.engine.now_ms())

    def decide(document: Document) -> Document:
        check_signer(document, grant, own_kid)
        return add_key(document, key, created_at, own_kid)

    async def act(keeping: Keeping) -> Answer:
        document = await broker.trust.change(decide, lambda document: keeping.of(json_kept(document[-1], 201)))
        return json_kept(document[-1], 201)

    return await once(request, grant, body, broker.documents.partition(TRUSTED_KEYS), act)


async def revoke_key(request: Request) -> Response:
    """Trust this key no more; not the one that signed the request, so that an admin does not lock himself out."""
    broker, own_kid, kid = broker_of(request), broker_of(request).signing_key.kid, request.path_params["kid"]
    grant = require_admin(request)

    def decide(document: Document) -> Document:
        check_signer(document, grant, own_kid)
        return remove_key(document, kid, signed_by=grant.key_id, own_kid=own_kid)

    async def act(keeping: Keeping) -> Answer:
        await broker.trust.change(decide, lambda _: keeping.of(REVOKED))
        return REVOKED

    return await once(request, grant, None, broker.documents.partition(TRUSTED_KEYS), act)
