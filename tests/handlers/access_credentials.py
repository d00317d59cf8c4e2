"""The credentials of the access matrix, and what each gets by the access of a route."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from broker.tokens import MintRequest, mint
from handlers.operations import Access
from tests.broker.forge import forge, key_of
from tests.handlers.access_cells import ME, Cell

OK = 200
"""The route lets the caller in: its success, whatever its number."""

PARTNER = key_of("partner", 3)
STRANGER = key_of("stranger", 4)
UNVERIFIED = (
    "garbage",
    "another scheme",
    "expired",
    "a stranger's key under our kid",
    "the broker's own name",
    "partner over its ceiling",
    "garbage before admin in the query",
)
"""The credentials of `CREDENTIALS` that are there and do not verify."""

TENANT = "acme"
KEYS = {"lifecycle key": "lifecycle", "cuey key": "cuey", "live key": "live", "calendar key": "calendar"}
"""The credentials of `CREDENTIALS` that are a tenant's API keys, and their scopes."""


@dataclass(frozen=True)
class Credential:
    """What a request carries to say who sends it."""

    header: str | None = None
    query_token: str | None = None


def _bearer(token: str) -> Credential:
    return Credential(f"Bearer {token}")


def _expired(cell: Cell) -> Credential:
    key, request = cell.server.signing_key, MintRequest(("admin",), sub=ME, expires_in_s=60)
    return _bearer(mint(request, key, now_s=time.time() - 61, audience=None))


CREDENTIALS: dict[str, Callable[[Cell], Credential]] = {
    "none": lambda _: Credential(),
    "garbage": lambda _: _bearer("x.y.z"),
    "another scheme": lambda _: Credential("Basic YWRtaW46YWRtaW4="),
    "expired": _expired,
    "a stranger's key under our kid": lambda cell: _bearer(
        forge({"scopes": ["admin"]}, STRANGER, kid=cell.server.signing_key.kid)
    ),
    "the broker's own name": lambda cell: _bearer(cell.own("admin", sub="system-auth")),
    "no scope": lambda cell: _bearer(cell.own()),
    "another channel": lambda cell: _bearer(cell.own(f"pub:{cell.channel_id}-x", f"sub:{cell.channel_id}-x")),
    "pub": lambda cell: _bearer(cell.own(f"pub:{cell.channel_id}")),
    "sub": lambda cell: _bearer(cell.own(f"sub:{cell.channel_id}")),
    "metrics": lambda cell: _bearer(cell.own("metrics")),
    "admin": lambda cell: _bearer(cell.own("admin")),
    "partner": lambda cell: _bearer(forge({"scopes": [f"sub:{cell.channel_id}"], "sub": ME}, PARTNER)),
    "partner over its ceiling": lambda _: _bearer(forge({"scopes": ["admin"], "sub": ME}, PARTNER)),
    "admin in the query": lambda cell: Credential(query_token=cell.own("admin")),
    "garbage before admin in the query": lambda cell: Credential("Bearer x.y.z", cell.own("admin")),
    "lifecycle key": lambda cell: _bearer(cell.keys["lifecycle key"]),
    "live key": lambda cell: _bearer(cell.keys["live key"]),
    "calendar key": lambda cell: _bearer(cell.keys["calendar key"]),
    "cuey key": lambda cell: _bearer(cell.keys["cuey key"]),
}
_BAD = dict.fromkeys(CREDENTIALS, 401)
_ALL = dict.fromkeys(CREDENTIALS, OK)
_KNOWN = dict.fromkeys(("no scope", "another channel", "pub", "sub", "metrics", "partner", *KEYS), 403)
EXPECTED: dict[Access, dict[str, int]] = {
    "none": _ALL,
    "optional": _ALL,
    "read": _BAD | _KNOWN | dict.fromkeys(("sub", "admin", "partner", "admin in the query"), OK),
    "publish": _BAD | _KNOWN | dict.fromkeys(("pub", "admin"), OK),
    "token": _BAD | dict.fromkeys((*_KNOWN, "admin"), OK),
    "metrics": _BAD | _KNOWN | {"metrics": OK, "admin": OK},
    "admin": _BAD | _KNOWN | {"admin": OK},
    "tenant": _BAD | _KNOWN | {"admin": 403, "lifecycle key": OK},
}
"""What each credential gets by the access of the route, for a private channel. A token in the query only reads."""
