"""Channels: what a channel's record holds and says (contract section 4). Pure; `channel_changes` makes new ones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from broker.ids import Position, render_tag

CHANNEL_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}[a-z0-9]")
DAY_MS = 86_400_000
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


def record_of(new: NewChannel, *, tag: int, partition: int, created_ms: int) -> ChannelRecord:
    """The record of a channel at its creation."""
    return ChannelRecord(
        id=new.id,
        tag=tag,
        partition=partition,
        created_ms=created_ms,
        version=1,
        name=new.name,
        description=new.description,
        tags=new.tags,
        is_public=new.is_public,
        config=new.config,
        meta=new.meta,
    )


def is_channel_id(text: str) -> bool:
    """True for 3 to 64 of a-z, 0-9 and hyphen, not beginning or ending with a hyphen."""
    return CHANNEL_ID.fullmatch(text) is not None


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
