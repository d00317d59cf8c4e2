"""The operations on tokens, trusted keys and the server's identity (contract sections 5 and 11)."""

from handlers.channels.directory import claim_channels
from handlers.channels.discovery import JWKS_PATH, discover, get_jwks
from handlers.channels.event_operations import KEY as IDEMPOTENCY_KEY
from handlers.channels.identity_schemas import (
    CLAIM,
    CLAIM_REQUEST,
    CLAIMS,
    DISCOVERY,
    IDENTITY,
    IDENTITY_CHANGES,
    JWKS,
    KEY,
    KEYS,
    MINT,
    MINTED,
    NEW_KEY,
    OK,
)
from handlers.channels.server_identity import get_server, put_server
from handlers.channels.tokens import get_claims, mint_token
from handlers.channels.trusted_keys import list_keys, revoke_key, trust_key
from handlers.operations import Answer, Operation

TOKENS = "/api/v1/tokens"
KEYS_PATH = "/api/v1/keys"
SERVER = "/api/v1/server"

OPERATIONS = (
    Operation(
        "POST",
        TOKENS,
        mint_token,
        "Mint a token",
        "admin",
        {200: Answer("The token, shown this once", MINTED)},
        refusals=(400, 413),
        body=MINT,
        tag="tokens",
    ),
    Operation(
        "GET",
        TOKENS + "/claims",
        get_claims,
        "What the token of this request says",
        "token",
        {200: Answer("Its claims; absent ones are left out", CLAIMS)},
        tag="tokens",
    ),
    Operation(
        "GET",
        KEYS_PATH,
        list_keys,
        "List the trusted keys",
        "admin",
        {200: Answer("The keys beside the server's own", KEYS)},
        refusals=(503,),
        tag="keys",
    ),
    Operation(
        "POST",
        KEYS_PATH,
        trust_key,
        "Trust a key",
        "admin",
        {201: Answer("The key as it is trusted", KEY)},
        refusals=(400, 409, 413, 422, 503),
        parameters=(IDEMPOTENCY_KEY,),
        body=NEW_KEY,
        tag="keys",
    ),
    Operation(
        "DELETE",
        KEYS_PATH + "/{kid}",
        revoke_key,
        "Trust a key no more",
        "admin",
        {200: Answer("Its tokens verify no more", OK)},
        refusals=(400, 404, 422, 503),
        parameters=(IDEMPOTENCY_KEY,),
        tag="keys",
    ),
    Operation(
        "GET",
        SERVER,
        get_server,
        "Who runs this server",
        "none",
        {200: Answer("The identity", IDENTITY)},
        refusals=(503,),
        tag="server",
    ),
    Operation(
        "PUT",
        SERVER,
        put_server,
        "Change the identity",
        "admin",
        {200: Answer("The identity as it is now", IDENTITY)},
        refusals=(400, 413, 422, 503),
        parameters=(IDEMPOTENCY_KEY,),
        body=IDENTITY_CHANGES,
        tag="server",
    ),
    Operation(
        "GET",
        "/.well-known/zooid.json",
        discover,
        "How to reach this server and check its signatures",
        "none",
        {200: Answer("The discovery document", DISCOVERY)},
        refusals=(503,),
        tag="server",
    ),
    Operation(
        "GET",
        JWKS_PATH,
        get_jwks,
        "The public keys of this server",
        "none",
        {200: Answer("A JWKS", JWKS)},
        tag="server",
    ),
    Operation(
        "POST",
        "/api/v1/directory/claim",
        claim_channels,
        "Sign a claim to channels for a directory",
        "admin",
        {200: Answer("The claim and its signature", CLAIM)},
        refusals=(400, 413, 422, 503),
        parameters=(IDEMPOTENCY_KEY,),
        body=CLAIM_REQUEST,
        tag="server",
    ),
)
