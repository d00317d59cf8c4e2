"""Which node has which slot, as CLUSTER SLOTS says, and what commands say of slots. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.commands import READ_COMMANDS
from redis.crc import key_slot

from broker.storage.cluster.urls import Address

SLOTS = 16_384
KEYLESS = frozenset({"PING", "TIME", "INFO", "WAIT"})
"""Commands without a key that may be asked of any node."""

READS = READ_COMMANDS | KEYLESS
"""Commands that change nothing."""

SCRIPTS = frozenset({"EVALSHA", "EVAL"})


@dataclass(slots=True)
class SlotMap:
    """The primary of each slot, None for a slot that nobody has; and all the nodes, primaries first."""

    owners: list[Address | None]
    primaries: list[Address]
    replicas: list[Address]


def parse_slots(answer: Iterable[Sequence[Any]], asked: Address) -> SlotMap:
    """Read the answer to CLUSTER SLOTS of the node `asked`: a node that does not know its own host is that one.

    A node whose host its fellows do not know, written as a question mark, is left out.
    """
    owners: list[Address | None] = [None] * SLOTS
    primaries: dict[Address, None] = {}
    replicas: dict[Address, None] = {}
    for first, last, *nodes in answer:
        primary, *others = (_parse_node(node, asked) for node in nodes)
        replicas |= {other: None for other in others if other is not None}
        if primary is not None:
            primaries[primary] = None
            owners[first : last + 1] = [primary] * (last + 1 - first)
    return SlotMap(owners, list(primaries), [each for each in replicas if each not in primaries])


def _parse_node(node: Sequence[Any], asked: Address) -> Address | None:
    host, port = node[0], int(node[1])
    text = host.decode() if isinstance(host, bytes) else host or ""
    return None if text == "?" else Address(text or asked.host, port)


def slot_of_key(key: str | bytes) -> int:
    """The slot of a key or topic."""
    return key_slot(key.encode() if isinstance(key, str) else key)


def slot_of(command: Sequence[Any]) -> int | None:
    """The slot of a command, None where any node will do. The key is its first argument, of a script its first key."""
    name = command[0]
    if name in KEYLESS:
        return None
    return slot_of_key(command[3] if name in SCRIPTS else command[1])
