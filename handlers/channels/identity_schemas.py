"""JSON Schemas of tokens, keys, the server's identity and its claims, for the OpenAPI document (contract 5, 11)."""

from typing import Any

from broker.scopes import SCOPE_FORM
from handlers.channels.event_schemas import CHANNEL_ID, NULLABLE_TEXT, TIME

TEXT = {"type": "string"}
UNIX_SECONDS = {"type": "integer", "description": "Unix time in seconds."}
BASE64URL = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}
ONE_LINE = r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*"
LINES = r"[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*"
_AROUND_AT = r"[^\s\u0000-\u001f\u007f-\u009f@<>(),;:\"\\\[\]]+"
EMAIL = f"^$|^{_AROUND_AT}@{_AROUND_AT}$"
SHORT_TEXT = {"type": ["string", "null"], "maxLength": 256, "pattern": f"^{ONE_LINE}$"}
SCOPES: dict[str, Any] = {
    "type": "array",
    "maxItems": 64,
    "items": {
        "type": "string",
        "pattern": f"^({SCOPE_FORM})$",
        "description": "admin, pub:<channel>, sub:<channel>; a * at the end is any rest.",
    },
    "examples": [["pub:news", "sub:*"]],
}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}}


OK = _object({"ok": {"const": True}})
MINT = _object(
    {"scopes": {**SCOPES, "minItems": 1}},
    {
        "sub": {
            **SHORT_TEXT,
            "pattern": f"^(?!system-){ONE_LINE}$",
            "description": "The publisher_id of what it publishes.",
        },
        "name": {**SHORT_TEXT, "description": "The publisher_name of what it publishes."},
        "groups": {"type": ["array", "null"], "maxItems": 64, "items": {**SHORT_TEXT, "type": "string"}},
        "expires_in": {
            "type": "string",
            "pattern": "^[0-9]{1,12}[smhd]$",
            "description": "How long it is good; without it, for ever.",
            "examples": ["90s", "5m", "1h", "7d"],
        },
    },
)
MINTED = _object({"token": TEXT})
CLAIMS = _object(
    {"scopes": {"type": "array", "items": TEXT}},
    {
        "iat": UNIX_SECONDS,
        "exp": UNIX_SECONDS,
        "sub": TEXT,
        "name": TEXT,
        "groups": {"type": "array", "items": TEXT},
    },
)
NEW_KEY = _object(
    {
        "kid": {"type": "string", "pattern": r"^(?!\.+$)[A-Za-z0-9._~:@=+-]{1,128}$"},
        "x": {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$", "description": "The x of its JWK."},
    },
    {
        "kty": {"const": "OKP"},
        "crv": {"const": "Ed25519"},
        "max_scopes": {**SCOPES, "type": ["array", "null"], "description": "Its ceiling; sub:* where it is left out."},
        "issuer": {
            **SHORT_TEXT,
            "minLength": 1,
            "pattern": f"^(?!system-){ONE_LINE}$",
            "description": "The iss that its tokens must have.",
        },
    },
)
KEY = _object(
    {
        "kid": TEXT,
        "kty": {"const": "OKP"},
        "crv": {"const": "Ed25519"},
        "x": BASE64URL,
        "max_scopes": {"type": "array", "items": TEXT},
        "issuer": NULLABLE_TEXT,
        "jwks_url": {"type": "null", "description": "Keys are never fetched."},
        "created_at": TIME,
    }
)
KEYS = _object({"keys": {"type": "array", "maxItems": 16, "items": KEY}})
IDENTITY = _object(
    {
        "name": TEXT,
        "description": NULLABLE_TEXT,
        "tags": {"type": "array", "items": TEXT},
        "owner": NULLABLE_TEXT,
        "company": NULLABLE_TEXT,
        "email": NULLABLE_TEXT,
        "updated_at": {**TIME, "type": ["string", "null"], "description": "null before the first change."},
    }
)
IDENTITY_CHANGES = _object(
    {},
    {
        "name": {**SHORT_TEXT, "minLength": 1},
        "description": {"type": ["string", "null"], "maxLength": 2000, "pattern": f"^{LINES}$"},
        "tags": {
            "type": ["array", "null"],
            "maxItems": 32,
            "items": {**SHORT_TEXT, "type": "string", "minLength": 1, "maxLength": 64},
        },
        "owner": SHORT_TEXT,
        "company": SHORT_TEXT,
        "email": {**SHORT_TEXT, "maxLength": 254, "pattern": EMAIL, "examples": ["ops@example.com"]},
    },
)
DISCOVERY = _object(
    {
        "version": {"const": "0.1"},
        "public_key": {**BASE64URL, "description": "The SPKI of the server's key."},
        "public_key_format": {"const": "spki"},
        "algorithm": {"const": "Ed25519"},
        "server_id": TEXT,
        "server_url": {**TEXT, "format": "uri"},
        "server_name": TEXT,
        "server_description": NULLABLE_TEXT,
        "poll_interval": {"type": "integer", "description": "Seconds; also the s-maxage of public polls."},
        "delivery": {"type": "array", "items": TEXT},
        "jwks_url": {**TEXT, "format": "uri"},
        "openapi_url": {**TEXT, "format": "uri"},
    }
)
JWKS = _object(
    {
        "keys": {
            "type": "array",
            "items": _object(
                {
                    "kty": {"const": "OKP"},
                    "crv": {"const": "Ed25519"},
                    "x": BASE64URL,
                    "kid": TEXT,
                    "alg": {"const": "EdDSA"},
                    "use": {"const": "sig"},
                }
            ),
        }
    }
)
CLAIM_REQUEST = _object(
    {"channels": {"type": "array", "minItems": 1, "maxItems": 100, "items": CHANNEL_ID}},
    {"action": {"enum": ["delete", None], "description": "Leave out to list the channels."}},
)
CLAIM = _object({"claim": BASE64URL, "signature": BASE64URL})
