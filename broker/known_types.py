"""The compiled types of strict channels that a process has met: channels whose types say the same share them.

Compiling takes 150 us for a small schema, as much as three publishes. An application has many channels of few kinds, so
what is kept is found by what the types say; which digest is a record's is kept for more records, as it is small.
"""

import hashlib
from collections import OrderedDict

from broker.channels import ChannelRecord
from broker.schemas import MAX_SCHEMA_BYTES, CompiledTypes, compile_types
from broker.strictjson import render_json

MOST_TYPES = 1_000
MOST_RECORDS = 10_000


class KnownTypes:
    """Compiled types, the least recently used forgotten first."""

    def __init__(self, max_schema_bytes: int = MAX_SCHEMA_BYTES, *, most: int = MOST_TYPES) -> None:
        self._max_schema_bytes = max_schema_bytes
        self._most = most
        self._types: OrderedDict[bytes, CompiledTypes] = OrderedDict()
        self._digests: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def of(self, channel: ChannelRecord) -> CompiledTypes:
        """The types of a strict channel; raises `Invalid` where they cannot be enforced."""
        digest = self._digest(channel)
        types = self._types.get(digest)
        if types is None:
            types = self._types[digest] = compile_types(channel.config or {}, self._max_schema_bytes)
            if len(self._types) > self._most:
                self._types.popitem(last=False)
        else:
            self._types.move_to_end(digest)
        return types

    def _digest(self, channel: ChannelRecord) -> bytes:
        identity = (channel.tag, channel.version)
        digest = self._digests.get(identity)
        if digest is None:
            said = render_json((channel.config or {}).get("types"))
            digest = self._digests[identity] = hashlib.sha256(said).digest()
            if len(self._digests) > MOST_RECORDS:
                self._digests.popitem(last=False)
        return digest
