"""The claims of a verified token, whatever form they were written in (contract channels.md section 5, RFC 7519).

Forms read, the first that is there wins: `scopes` (a list), `https://zooid.dev/scopes` (a list; empty means no rights),
and the old `scope` (`admin`, `publish` or `subscribe`) with `channel` or `channels`, without either of them for all
channels. A claim of a wrong type refuses the token: a half-understood token is a wrong one. Times are Unix seconds.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from broker.errors import Invalid
from broker.scopes import ADMIN, known_scopes

SYSTEM_PREFIX = "system-"
"""How the publisher_id of the broker's own events begins; no token and no issuer may (design.md section 6)."""

MAX_NAME = 256
"""How many characters `sub`, `name` and each of `groups` may have."""

_FOREIGN_SCOPES = "https://zooid.dev/scopes"
_OLD_VERBS = {"publish": "pub", "subscribe": "sub"}
_LAST_TIME_S = 253_402_300_799
_CLOCK_SKEW_S = 60
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. `scopes` are of the grammar; absent claims are None, `groups` is empty."""

    scopes: tuple[str, ...]
    sub: str | None
    name: str | None
    groups: tuple[str, ...]
    issued_at_s: int | None
    expires_at_s: int | None


def parse_claims(payload: Any) -> Claims:
    """The claims of a token's decoded payload; raises Invalid for types, sizes and subjects that are not allowed."""
    if not isinstance(payload, Mapping):
        raise Invalid("The payload of a token must be an object")
    return Claims(
        scopes=known_scopes(_scopes(payload)),
        sub=parse_subject(payload.get("sub")),
        name=parse_name("name", payload.get("name")),
        groups=parse_groups(payload.get("groups")),
        issued_at_s=_time(payload, "iat"),
        expires_at_s=_time(payload, "exp"),
    )


def check_times(payload: Mapping[str, Any], now_s: float, leeway_s: float) -> None:
    """Raises Invalid when the token is past `exp`, before `nbf`, or was issued in the future.

    `leeway_s` widens `exp` and `nbf`. `iat` only informs, so it has a minute for clocks that differ.
    """
    expires_s, begins_s, issued_s = (_time(payload, name) for name in ("exp", "nbf", "iat"))
    if expires_s is not None and now_s >= expires_s + leeway_s:
        raise Invalid("expired")
    if begins_s is not None and now_s < begins_s - leeway_s:
        raise Invalid("not valid yet")
    if issued_s is not None and issued_s > now_s + max(leeway_s, _CLOCK_SKEW_S):
        raise Invalid("issued in the future")


def check_parties(payload: Mapping[str, Any], audiences: Collection[str], issuer: str | None) -> None:
    """Raises Invalid when `aud` is there and names none of `audiences`, or `iss` is not the `issuer` that is set."""
    audience = payload.get("aud")
    if audience is not None and not any(name in audiences for name in _texts("aud", _as_list(audience))):
        raise Invalid("meant for another server")
    if issuer is not None and payload.get("iss") != issuer:
        raise Invalid("of another issuer")


def render_claims(claims: Claims) -> dict[str, Any]:
    """The answer of `GET /tokens/claims`: `{scopes, iat, sub?, name?, groups?, exp?}`, absent claims left out."""
    shown = {
        "iat": claims.issued_at_s,
        "sub": claims.sub,
        "name": claims.name,
        "groups": list(claims.groups) or None,
        "exp": claims.expires_at_s,
    }
    return {"scopes": list(claims.scopes)} | {name: value for name, value in shown.items() if value is not None}


def parse_subject(value: Any) -> str | None:
    """A `sub` claim, None when it is absent or empty; raises Invalid for one that poses as the broker itself."""
    subject = parse_name("sub", value)
    if subject is not None and subject.startswith(SYSTEM_PREFIX):
        raise Invalid(f'sub must not begin with "{SYSTEM_PREFIX}"')
    return subject


def parse_name(claim: str, value: Any) -> str | None:
    """A short text on one line, None when absent or empty; raises Invalid naming `claim`."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MAX_NAME or _CONTROL.search(value):
        raise Invalid(f"{claim} must be text of at most {MAX_NAME} characters without control characters")
    return value


def parse_groups(value: Any) -> tuple[str, ...]:
    """A `groups` claim, empty when absent; raises Invalid unless it is a list of short texts."""
    if value is None:
        return ()
    names = (parse_name("groups", name) for name in _texts("groups", value))
    return tuple(name for name in names if name is not None)


def _scopes(payload: Mapping[str, Any]) -> list[str]:
    for claim in ("scopes", _FOREIGN_SCOPES):
        if payload.get(claim) is not None:
            return _texts(claim, payload[claim])
    scope = payload.get("scope")
    if scope is not None and not isinstance(scope, str):
        raise Invalid("scope must be text")
    if scope == ADMIN:
        return [ADMIN]
    verb = _OLD_VERBS.get(scope or "")
    return [f"{verb}:{channel}" for channel in _old_channels(payload)] if verb else []


def _old_channels(payload: Mapping[str, Any]) -> list[str]:
    if payload.get("channels") is not None:
        return _texts("channels", payload["channels"])
    channel = payload.get("channel")
    return ["*"] if channel is None else _texts("channel", [channel])


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _texts(claim: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise Invalid(f"{claim} must be a list of texts")
    return value


def _time(payload: Mapping[str, Any], claim: str) -> int | None:
    value = payload.get(claim)
    if value is None and claim not in payload:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _LAST_TIME_S:
        raise Invalid(f"{claim} must be a time in Unix seconds")
    return int(value)
