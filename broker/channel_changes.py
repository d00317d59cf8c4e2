"""How channels are created and changed: the bodies of create, patch and meta patch (contract section 4). Pure."""

from dataclasses import dataclass, replace
from typing import Any

from broker.channels import ChannelRecord, Json, NewChannel, is_channel_id, render_record
from broker.errors import Conflict, Forbidden, Invalid, TooLarge
from broker.scopes import RESERVED_PREFIXES, is_reserved
from broker.strictjson import render_json

MAX_NAME_CHARS = 200
MAX_DESCRIPTION_CHARS = 2_000
MAX_TAGS = 32
MAX_TAG_CHARS = 64
RETENTION_ONLY = "This channel belongs to another API: only its retention, config.storage, can be changed"


@dataclass(frozen=True, slots=True)
class ChannelLimits:
    """How long a channel's config and meta may be, each as compact JSON; the defaults are those of config.toml."""

    config_bytes: int = 32_768
    meta_bytes: int = 16_384


def parse_create(body: Any, limits: ChannelLimits) -> NewChannel:
    """Read the body of a create; raises `Invalid`, `TooLarge`, or `Conflict` for a reserved id."""
    fields = _object(body)
    new = NewChannel(
        id=_id(fields.get("id")),
        name=_name(fields.get("name")),
        description=_description(fields.get("description")),
        tags=_tags(fields.get("tags")),
        is_public=_boolean(fields.get("is_public", False)),
        config=_bounded("config", fields.get("config"), limits.config_bytes),
        meta=_bounded("meta", fields.get("meta"), limits.meta_bytes),
    )
    if is_reserved(new.id):
        raise Conflict(f"Channel ids that begin with {', '.join(RESERVED_PREFIXES)} are reserved")
    return new


def apply_patch(record: ChannelRecord, body: Any, limits: ChannelLimits) -> ChannelRecord:
    """The record with the named fields changed: null clears, `config` is replaced whole.

    Raises `Invalid`, `TooLarge`, and `Forbidden` when it is a reserved channel and more than its retention is changed.
    """
    changed = _apply(record, body, limits)
    if not is_reserved(record.id):
        return changed
    kept = {**(record.config or {}), **(changed.config or {})} if changed.config is not None else None
    changed = replace(changed, config=kept)
    if _besides_retention(changed) != _besides_retention(record):
        raise Forbidden(RETENTION_ONLY)
    return changed


def merge_meta(record: ChannelRecord, body: Any, limits: ChannelLimits) -> ChannelRecord:
    """The record with `body` merged into its meta: null deletes a key, an empty meta becomes None.

    Raises `Invalid`, `TooLarge`, and `Forbidden` for a reserved channel.
    """
    if is_reserved(record.id):
        raise Forbidden(RETENTION_ONLY)
    named = _object(body)
    kept = {name: value for name, value in (record.meta or {}).items() if name not in named}
    merged = {**kept, **{name: value for name, value in named.items() if value is not None}}
    return replace(record, meta=_bounded("meta", merged or None, limits.meta_bytes))


def _apply(record: ChannelRecord, body: Any, limits: ChannelLimits) -> ChannelRecord:
    fields = _object(body)
    changes: dict[str, Any] = {}
    if "name" in fields:
        changes["name"] = _name(fields["name"])
    if "description" in fields:
        changes["description"] = _description(fields["description"])
    if "tags" in fields:
        changes["tags"] = _tags(fields["tags"])
    if "is_public" in fields:
        changes["is_public"] = _boolean(fields["is_public"])
    if "config" in fields:
        changes["config"] = _bounded("config", fields["config"], limits.config_bytes)
    if "meta" in fields:
        changes["meta"] = _bounded("meta", fields["meta"], limits.meta_bytes)
    return replace(record, **changes)


def _besides_retention(record: ChannelRecord) -> bytes:
    # As JSON, because to Python 1, 1.0 and True are equal.
    config = {name: value for name, value in (record.config or {}).items() if name != "storage"}
    return render_json(render_record(replace(record, config=config)))


def _object(body: Any) -> Json:
    if not isinstance(body, dict):
        raise Invalid("The body must be a JSON object")
    return body


def _id(value: Any) -> str:
    if not isinstance(value, str) or not is_channel_id(value):
        raise Invalid("id must be 3 to 64 of a-z, 0-9 and -, not beginning or ending with -")
    return value


def _bounded(name: str, value: Any, most_bytes: int) -> Json | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Invalid(f"{name} must be an object or null")
    if len(render_json(value)) > most_bytes:
        raise TooLarge(f"{name} is over {most_bytes} bytes of JSON")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid("is_public must be true or false")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_NAME_CHARS:
        raise Invalid(f"name must be a string of 1 to {MAX_NAME_CHARS} characters")
    return value


def _description(value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or len(value) > MAX_DESCRIPTION_CHARS):
        raise Invalid(f"description must be a string of at most {MAX_DESCRIPTION_CHARS} characters, or null")
    return value


def _tags(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    good = isinstance(value, list) and len(value) <= MAX_TAGS
    if not good or not all(isinstance(tag, str) and 1 <= len(tag) <= MAX_TAG_CHARS for tag in value):
        raise Invalid(f"tags must be a list of at most {MAX_TAGS} strings of 1 to {MAX_TAG_CHARS} characters")
    return tuple(value)
