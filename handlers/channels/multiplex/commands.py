"""What a client may say: one JSON object a frame, with one command in it and perhaps a `ref` (docs/multiplex.md). Pure.

Commands are checked strictly, as a misspelled `cursor` that is passed over would be a silent jump. The events of a
publish are read as `POST .../events` reads them, when it is known who publishes them.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from broker.channels import is_channel_id
from broker.errors import Invalid, NotFound, Refusal
from broker.events import EventLimits
from broker.pages import Types, types_of
from broker.storage.channels import NO_CHANNEL
from broker.strictjson import parse_json

MAX_REF_CHARS = 64
MAX_REF_NUMBER = (1 << 53) - 1
WRAPPING_DEPTH = 1
WRAPPING_KEYS = 8

Ref = int | str | None
Members = Mapping[str, Any]


class Subscribe(NamedTuple):
    """Follow a channel: after `cursor` and `since`, else from the tip; `gap_is_error` refuses to go on after a gap."""

    channel_id: str
    cursor: str | None
    since: str | None
    types: Types | None
    gap_is_error: bool


class Unsubscribe(NamedTuple):
    """Follow a channel no more."""

    channel_id: str


class Publish(NamedTuple):
    """Publish one event or a batch; `body` has them as a POST would, `key` is the Idempotency-Key."""

    channel_id: str
    body: Members
    key: str | None


class Authenticate(NamedTuple):
    """Speak with this token from now on."""

    token: str


Command = Subscribe | Unsubscribe | Publish | Authenticate


class Asked(NamedTuple):
    """One frame of a client: its command, or why it has none, and the `ref` that the answer repeats."""

    ref: Ref
    command: Command | Refusal


def parse_asked(text: str | bytes | None, limits: EventLimits) -> Asked:
    """Read a frame; whatever is wrong with it is in the result, with its `ref` where that can be read."""
    ref: Ref = None
    try:
        members = _members(text, limits)
        ref = _ref(members)
        return Asked(ref, _command({name: value for name, value in members.items() if name != "ref"}))
    except Refusal as refusal:
        return Asked(ref, refusal)


def _members(text: str | bytes | None, limits: EventLimits) -> Members:
    if not isinstance(text, str):
        raise Invalid("A command is a text frame")
    # As deep as a publish over HTTP may be, and what is wrapped around it here.
    depth, keys = limits.json_depth + WRAPPING_DEPTH, limits.json_keys + WRAPPING_KEYS
    value = parse_json(text.encode(), depth=depth, keys=keys)
    if not isinstance(value, dict):
        raise Invalid("A command is a JSON object")
    return value


def _ref(members: Members) -> Ref:
    ref = members.get("ref")
    if ref is None or (isinstance(ref, str) and len(ref) <= MAX_REF_CHARS):
        return ref
    if isinstance(ref, int) and not isinstance(ref, bool) and abs(ref) <= MAX_REF_NUMBER:
        return ref
    raise Invalid(f"ref must be a whole number or a string of at most {MAX_REF_CHARS} characters")


def _command(members: Members) -> Command:
    known = [name for name in members if name in _PARSERS]
    if len(known) != 1:
        raise Invalid(f"A command has one of {', '.join(_PARSERS)}")
    _only(members, known)
    return _PARSERS[known[0]](members[known[0]])


def _subscribe(value: Any) -> Subscribe:
    members = _object("subscribe", value)
    _only(members, ("channel", "cursor", "since", "types", "on_gap"))
    return Subscribe(
        _channel(members),
        _text(members, "cursor"),
        _text(members, "since"),
        _types(members),
        _gap_is_error(members),
    )


def _unsubscribe(value: Any) -> Unsubscribe:
    members = _object("unsubscribe", value)
    _only(members, ("channel",))
    return Unsubscribe(_channel(members))


def _publish(value: Any) -> Publish:
    members = _object("publish", value)
    return Publish(_channel(members), members, _text(members, "key"))


def _token(value: Any) -> Authenticate:
    if not isinstance(value, str):
        raise Invalid("token must be a string")
    return Authenticate(value)


_PARSERS: dict[str, Callable[[Any], Command]] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "publish": _publish,
    "token": _token,
}


def _object(name: str, value: Any) -> Members:
    if not isinstance(value, dict):
        raise Invalid(f"{name} must be an object")
    return value


def _only(members: Members, names: Collection[str]) -> None:
    unknown = next((name for name in members if name not in names), None)
    if unknown is not None:
        raise Invalid(f"Unknown member {unknown[:MAX_REF_CHARS]!r}")


def _channel(members: Members) -> str:
    channel_id = members.get("channel")
    if not isinstance(channel_id, str):
        raise Invalid("channel must be the id of a channel")
    if not is_channel_id(channel_id):
        raise NotFound(NO_CHANNEL)
    return channel_id


def _text(members: Members, name: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise Invalid(f"{name} must be a string")
    return value


def _types(members: Members) -> Types | None:
    names = members.get("types")
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Invalid("types must be a list of strings")
    return types_of(names)


def _gap_is_error(members: Members) -> bool:
    on_gap = members.get("on_gap")
    if on_gap not in (None, "error", "continue"):
        raise Invalid("on_gap must be error or continue")
    return bool(on_gap == "error")
