"""Channels: what a channel's record holds, how it is created and changed (contract section 4). Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from broker.errors import Conflict, Invalid
from broker.ids import Position, render_tag
from broker.scopes import RESERVED_PREFIXES, is_reserved

CHANNEL_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}[a-z0-9]")
DAY_MS = 86_400_000
MAX_NAME_CHARS = 200
MAX_DESCRIPTION_CHARS = 2_000
MAX_TAGS = 32
MAX_TAG_CHARS = 64
MAX_RETENTION_DAYS = 3_650

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewChannel:
    """What the creator of a channel decides."""

    id: str
    name: str
    description: str | None = None
    tags: tuple[str, ...] = ()
    is_public: bool = False
    config: Json | None = None
    meta: Json | None = None


@dataclass(frozen=True, slots=True)
class ChannelRecord:
    """A channel as it is now. `tag` is in every id of its log and is the log's generation."""

    id: str
    tag: int
    partition: int
    created_ms: int
    version: int
    name: str
    description: str | None
    tags: tuple[str, ...]
    is_public: bool
    config: Json | None
    meta: Json | None
    tag_letters: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Spell the tag once: it is needed for every id."""
        object.__setattr__(self, "tag_letters", render_tag(self.tag))

    @property
    def start(self) -> Position:
        """The position before the first event: the start cursor."""
        return Position(self.created_ms, 0)

    @property
    def is_strict(self) -> bool:
        """True when every event must be of a listed type and match its schema."""
        return self.config is not None and self.config.get("strict_types") is True

    def retention_ms(self, default_days: int) -> int:
        """How long events are kept: `config.storage.retention_days`, floored, if a number of at least 1."""
        days = self._storage("retention_days", default_days)
        return min(int(days), MAX_RETENTION_DAYS) * DAY_MS

    def retention_events(self, default_events: int) -> int:
        """How many events are kept: `config.storage.retention_events`, floored, if a number of at least 1."""
        return int(min(self._storage("retention_events", default_events), 1 << 53))

    def _storage(self, name: str, default: int) -> float:
        storage = self.config.get("storage") if self.config else None
        value = storage.get(name) if isinstance(storage, dict) else None
        usable = isinstance(value, int | float) and not isinstance(value, bool) and value >= 1
        return value if usable and value is not None else default


def is_channel_id(text: str) -> bool:
    """True for 3 to 64 of a-z, 0-9 and hyphen, not beginning or ending with a hyphen."""
    return CHANNEL_ID.fullmatch(text) is not None


def parse_create(body: Any) -> NewChannel:
    """Read the body of a create; raises `Invalid`, or `Conflict` for a reserved id."""
    fields = _object(body)
    channel_id = fields.get("id")
    if not isinstance(channel_id, str) or not is_channel_id(channel_id):
        raise Invalid("id must be 3 to 64 of a-z, 0-9 and -, not beginning or ending with -")
    if is_reserved(channel_id):
        raise Conflict(f"Channel ids that begin with {', '.join(RESERVED_PREFIXES)} are reserved")
    return NewChannel(
        id=channel_id,
        name=_name(fields.get("name")),
        description=_description(fields.get("description")),
        tags=_tags(fields.get("tags")),
        is_public=_boolean(fields.get("is_public", False)),
        config=_optional_object(fields.get("config"), "config"),
        meta=_optional_object(fields.get("meta"), "meta"),
    )


def apply_patch(record: ChannelRecord, body: Any) -> ChannelRecord:
    """The record with the named fields changed; null clears; `config` is replaced whole. Raises `Invalid`."""
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
    for name in ("config", "meta"):
        if name in fields:
            changes[name] = _optional_object(fields[name], name)
    return replace(record, **changes)


def merge_meta(record: ChannelRecord, body: Any) -> ChannelRecord:
    """The record with `body` merged into its meta: null deletes a key, an empty meta becomes None."""
    merged = {**(record.meta or {}), **_object(body)}
    kept = {name: value for name, value in merged.items() if value is not None}
    return replace(record, meta=kept or None)


def render_record(record: ChannelRecord | NewChannel) -> dict[str, Any]:
    """The fields that every answer about a channel has."""
    return {
        "id": record.id,
        "name": record.name,
        "description": record.description,
        "tags": list(record.tags),
        "is_public": record.is_public,
        "config": record.config,
        "meta": record.meta,
    }


def _object(body: Any) -> Json:
    if not isinstance(body, dict):
        raise Invalid("The body must be a JSON object")
    return body


def _optional_object(value: Any, name: str) -> Json | None:
    if value is not None and not isinstance(value, dict):
        raise Invalid(f"{name} must be an object or null")
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
