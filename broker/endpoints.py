"""Webhook endpoints of a channel: what may be registered, by whom, and for how long (contract section 10). Pure.

An endpoint belongs to who registered it: the principal of a token, or, without one, the host of a client. To register
a URL again renews one's own endpoint. The same URL of another owner is another endpoint, with its own id, filter and
end: nobody can learn of, silence or end what is not theirs. Its receiver is called once for each of them, and tells
the repetition by the event's id; how many there can be is what the limits are for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from broker.addresses import Network
from broker.errors import Forbidden, Invalid, NotFound, TooMany
from broker.ids import MAX_SEQ, SEQ_BITS, Position, render_tag, render_time, render_ulid
from broker.pages import MAX_TYPES
from broker.targets import check_target

DEFAULT_TTL_S = 259_200
MAX_TTL_S = 2_592_000
ID_BITS = 80
"""How many random bits an id has beside its time."""

NO_ENDPOINT = "Webhook not found"
CHANNEL_FORM = "channel"
"""The form of the endpoints that the channels API registers, and lists, and no other."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who registered an endpoint.

    `id` is the principal of a token, or for `is_anonymous` the host that it was registered from. `key_id` and `key_x`
    name the trusted key by which the owner could read the channel were it private: without it (None), or once the key
    is no longer trusted, deliveries are for a public channel only.
    """

    id: str
    is_anonymous: bool
    key_id: str | None = None
    key_x: str | None = None

    def is_same(self, other: "Owner") -> bool:
        """Whether both are one caller, whatever their keys."""
        return (self.id, self.is_anonymous) == (other.id, other.is_anonymous)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registered URL; `event_types` is None for all events, also those without a type.

    `form` names how deliveries to it are made (`delivery_forms`), and so the API that it belongs to. While it is not
    `is_active` nothing is sent. `activation` grows when it becomes active again: then it goes on from the tail of the
    log, like one that is new.
    """

    id: str
    url: str
    event_types: tuple[str, ...] | None
    owner: Owner
    created_ms: int
    expires_ms: int
    form: str = CHANNEL_FORM
    is_active: bool = True
    activation: int = 0


Registered = tuple[Endpoint, ...]
"""The endpoints of one channel."""


class Registration(NamedTuple):
    """What a caller asks for, checked."""

    url: str
    event_types: tuple[str, ...] | None
    ttl_s: int


class EndpointLimits(NamedTuple):
    """How many endpoints a channel may have, and of these one host without a token."""

    per_channel: int
    per_address: int


def parse_registration(body: Any, *, allow: Sequence[Network], type_chars: int) -> Registration:
    """Read the body of a registration; raises `Invalid`. Networks in `allow` may be pointed at besides public ones."""
    if not isinstance(body, Mapping):
        raise Invalid("The body must be a JSON object")
    url = body.get("url")
    if not isinstance(url, str):
        raise Invalid("url must be a string")
    return Registration(
        check_target(url, allow),
        _event_types(body.get("event_types"), type_chars),
        _ttl_s(body.get("ttl_seconds")),
    )


def fresh_id(now_ms: int, random_bits: int) -> str:
    """An id of `ID_BITS` random bits: `wh_` and a ULID."""
    return "wh_" + render_ulid(render_tag(random_bits >> SEQ_BITS), Position(now_ms, random_bits & MAX_SEQ))


def alive(endpoints: Registered, now_ms: int) -> Registered:
    """Those that have not expired: the others are as good as gone."""
    return tuple(endpoint for endpoint in endpoints if now_ms < endpoint.expires_ms)


def of_form(endpoints: Registered, form: str = CHANNEL_FORM) -> Registered:
    """Those of one API."""
    return tuple(each for each in endpoints if each.form == form)


def register(
    endpoints: Registered, asked: Registration, owner: Owner, limits: EndpointLimits, *, new_id: str, now_ms: int
) -> tuple[Registered, Endpoint]:
    """The endpoints after a registration, and the one that it made or renewed; raises `TooMany`.

    The owner's endpoint with this URL keeps its id and its creation time; its filter, its end and its key are new.
    """
    current = alive(endpoints, now_ms)
    own = of_form(current)
    known = next((each for each in own if each.url == asked.url and each.owner.is_same(owner)), None)
    if known is None:
        _check_limits(own, owner, limits)
        known = Endpoint(new_id, asked.url, None, owner, created_ms=now_ms, expires_ms=now_ms)
    made = replace(known, event_types=asked.event_types, owner=owner, expires_ms=now_ms + asked.ttl_s * 1000)
    return (*(each for each in current if each.id != made.id), made), made


def remove(endpoints: Registered, endpoint_id: str, owner: Owner, *, is_admin: bool, now_ms: int) -> Registered:
    """The endpoints without one of the owner's, or without anybody's for an admin. Raises `NotFound`, `Forbidden`."""
    current = alive(endpoints, now_ms)
    found = next((each for each in of_form(current) if each.id == endpoint_id), None)
    if found is None:
        raise NotFound(NO_ENDPOINT)
    if not is_admin and not found.owner.is_same(owner):
        raise Forbidden("Insufficient permissions")
    return tuple(each for each in current if each.id != endpoint_id)


def render_endpoint(channel_id: str, endpoint: Endpoint) -> dict[str, Any]:
    """The endpoint as its owner sees it."""
    types = endpoint.event_types
    return {
        "id": endpoint.id,
        "channel_id": channel_id,
        "url": endpoint.url,
        "event_types": None if types is None else list(types),
        "expires_at": render_time(endpoint.expires_ms),
        "created_at": render_time(endpoint.created_ms),
    }


def render_stored(endpoints: Registered) -> list[dict[str, Any]]:
    """The endpoints as JSON to keep."""
    return [asdict(endpoint) for endpoint in endpoints]


def parse_stored(document: Any) -> Registered:
    """The endpoints that were kept; None means none. Trusts its input."""
    return tuple(
        Endpoint(**{**fields, "owner": Owner(**fields["owner"]), "event_types": _tuple(fields["event_types"])})
        for fields in document or ()
    )


def _check_limits(current: Registered, owner: Owner, limits: EndpointLimits) -> None:
    if len(current) >= limits.per_channel:
        raise TooMany(f"The channel has {limits.per_channel} webhooks, as many as it may")
    own = sum(each.owner.is_same(owner) for each in current)
    if owner.is_anonymous and own >= limits.per_address:
        raise TooMany(f"Without a token, one address may register {limits.per_address} webhooks on a channel")


def _event_types(value: Any, type_chars: int) -> tuple[str, ...] | None:
    if value is None or value == []:
        return None
    good = isinstance(value, list) and len(value) <= MAX_TYPES
    if not good or not all(isinstance(kind, str) and len(kind) <= type_chars for kind in value):
        raise Invalid(f"event_types must be a list of at most {MAX_TYPES} strings of at most {type_chars} characters")
    return tuple(dict.fromkeys(value))


def _ttl_s(value: Any) -> int:
    if value is None:
        return DEFAULT_TTL_S
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    if not whole or value < 1:
        raise Invalid("ttl_seconds must be a whole number of at least 1")
    return int(min(value, MAX_TTL_S))


def _tuple(value: list[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)
