"""Tokens: mint one, and say what one says (contract section 5)."""

from starlette.requests import Request
from starlette.responses import Response

from broker.tokens import mint, parse_mint
from handlers.auth import read_as_admin
from handlers.broker import broker_of
from handlers.responses import json_answer
from handlers.verifier import credential


async def mint_token(request: Request) -> Response:
    """A token signed with this server's key. It is shown once and stored nowhere; an Idempotency-Key is ignored.

    Without `expires_in` it never expires; then only another signing key would end it.
    """
    broker = broker_of(request)
    _, body = await read_as_admin(request)
    audience = broker.site.public_url or None
    token = mint(parse_mint(body), broker.signing_key, now_s=broker.now_s(), audience=audience)
    return json_answer({"token": token})


async def get_claims(request: Request) -> Response:
    """What the token of this request says, in the form of today; that it is answered says that it is good."""
    token = credential(request.headers.get("authorization"), None)
    return json_answer(broker_of(request).verifier.claims_of(token))
