"""What a client can learn without asking anybody: `/.well-known/zooid.json` and the public keys (contract section 11).

Both may be cached for a while. They change with the server's name and settings; its signing key belongs to its data and
stays.
"""

from starlette.requests import Request
from starlette.responses import Response

from handlers.broker import broker_of
from handlers.channels.server_identity import identity_of
from handlers.responses import json_answer
from handlers.site_url import site_url

VERSION = "0.1"
DELIVERY = ("poll", "webhook", "websocket", "sse", "rss")
FOR_A_MINUTE = {"Cache-Control": "public, max-age=60"}
FOR_FIVE_MINUTES = {"Cache-Control": "public, max-age=300"}
JWKS_PATH = "/.well-known/jwks.json"


async def discover(request: Request) -> Response:
    """How to reach this server, how often to poll it, and the key that its webhooks and claims are signed with.

    `server_id` is the key's thumbprint (RFC 7638): whoever holds another key is another server.
    """
    broker, url = broker_of(request), site_url(request)
    identity = await identity_of(broker)
    return json_answer(
        {
            "version": VERSION,
            "public_key": broker.signing_key.public_spki,
            "public_key_format": "spki",
            "algorithm": "Ed25519",
            "server_id": broker.signing_key.kid,
            "server_url": url,
            "server_name": identity["name"],
            "server_description": identity["description"],
            "poll_interval": broker.site.poll_interval_s,
            "delivery": DELIVERY,
            "jwks_url": url + JWKS_PATH,
            "openapi_url": url + "/openapi.json",
        },
        headers=FOR_A_MINUTE,
    )


async def get_jwks(request: Request) -> Response:
    """The public keys of this server as a JWKS (RFC 7517): who has its tokens checks them with these, and no others.

    Trusted keys of partners are not among them: what those sign is not this server's word.
    """
    return json_answer({"keys": [broker_of(request).signing_key.jwk()]}, headers=FOR_FIVE_MINUTES)
