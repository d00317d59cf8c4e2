"""The names of all keys, and in which partition each lives.

Every key carries the hash tag of its partition, so that all of an owner's keys share a cluster slot (design 3). The
keys of a log also carry its channel's tag, which is the log's generation: a channel that was deleted and created
again has other keys, so nobody can mix up the two.
"""

from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from broker.ids import render_tag


class LogKeys(NamedTuple):
    """The keys of one log: its meta, stream, reply index, webhook endpoints, and pub/sub topic."""

    meta: str
    stream: str
    replies: str
    endpoints: str
    topic: str


class PartitionKeys(NamedTuple):
    """The keys that one partition has once.

    Id floor, due trims, the channel indexes by creation time; timers by due time, claims on them, and the topic that
    tells of earlier ones; documents by the end of their lifetime, and the number of commits. `fences` numbers claims.
    `deliveries` are the webhook endpoints that have something to deliver, with claims and a topic as timers have them;
    parts/log.lua spells the first and the last by itself.
    `waited` is written where nothing else is, so that there is something to wait for a replica with.
    """

    floor: str
    trims: str
    channels: str
    public_channels: str
    waited: str
    timers: str
    claims: str
    fences: str
    timer_topic: str
    expiries: str
    commits: str
    deliveries: str
    delivery_claims: str
    delivery_topic: str


def partition_of(owner: str, partitions: int) -> int:
    """The partition in which all of this owner lives."""
    return crc32(owner.encode()) % partitions


@lru_cache(maxsize=4_096)
def log_keys(partition: int, channel_id: str, tag: int) -> LogKeys:
    """The keys of the log of a channel with this tag in its home partition."""
    head = f"{_prefix(partition)}log:{channel_id}:{render_tag(tag)}"
    return LogKeys(head, f"{head}:stream", f"{head}:replies", f"{head}:endpoints", f"{head}:feed")


def partition_keys(partition: int) -> PartitionKeys:
    """The keys that the partition has once."""
    prefix = _prefix(partition)
    names = ("floor", "trims", "channels", "public-channels", "waited")
    timers = ("timers", "claims", "fences", "timer-topic", "expiries", "commits")
    deliveries = ("deliveries", "delivery-claims", "delivery-topic")
    return PartitionKeys(*(f"{prefix}{name}" for name in (*names, *timers, *deliveries)))


def processes_key(partition: int) -> str:
    """The key of the processes that live and have readers on channels of the partition."""
    return f"{_prefix(partition)}processes"


def presence_key(partition: int, channel_id: str, tag: int) -> str:
    """The key of what processes say of a channel's readers; another one for a channel that is created again."""
    return f"{_prefix(partition)}presence:{channel_id}:{render_tag(tag)}"


def record_key(partition: int, channel_id: str) -> str:
    """The key of a channel's record, in the partition where the channel lives (`storage.homes`)."""
    return f"{_prefix(partition)}channel:{channel_id}"


def document_key(partition: int, name: str) -> str:
    """The key of a small document of the server, such as its trusted keys."""
    return f"{_prefix(partition)}document:{name}"


def state_key(partition: int, kind: str, document_id: str) -> str:
    """The key of a document of an owner in this partition."""
    return f"{_prefix(partition)}state:{kind}:{document_id}"


def index_key(partition: int, name: str) -> str:
    """The key of an index; with an empty name, how they all begin."""
    return f"{_prefix(partition)}index:{name}"


def answer_keys(partition: int, digest: str) -> tuple[str, str]:
    """The keys that keep the answer to an Idempotency-Key: its row, and the body of one that shows a secret."""
    row = f"{_prefix(partition)}idempotency:{digest}"
    return row, f"{row}:sealed"


def claim_key(partition: int, digest: str) -> str:
    """The key that binds an Idempotency-Key to its body; `partition` is that of the digest."""
    return f"{_prefix(partition)}claim:{digest}"


def idempotency_key(partition: int, tag: int, digest: str) -> str:
    """The key that keeps the answer to an Idempotency-Key, for publishes to the log with this tag only."""
    return answer_keys(partition, f"{render_tag(tag)}:{digest}")[0]


def rate_key(partition: int, digest: str) -> str:
    """The key that keeps the state of one rate limit."""
    return f"{_prefix(partition)}rate:{digest}"


def _prefix(partition: int) -> str:
    return f"{{p{partition:02d}}}:"
