"""The webhook endpoints of channels, each with the cursor from which its deliveries go on (design section 5).

They are changed optimistically, like all documents; the cursor of a new one is read in the script that registers it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import orjson

from broker.channels import ChannelRecord
from broker.endpoints import Endpoint, Registered, alive, parse_stored, render_stored
from broker.errors import Unavailable
from broker.ids import Position, parse_position
from broker.storage.channels import keys_of
from broker.storage.connect import answered
from broker.storage.deliveries import name_of
from broker.storage.engine import Engine
from broker.storage.log import Stale
from broker.storage.scripts import PUT_ENDPOINTS, Keep
from broker.storage.turns import Turns
from broker.timers import render_member

CHANGE_ATTEMPTS = 16

T = TypeVar("T")


class Kept(NamedTuple):
    """What is kept of a channel, also of what has expired; `version` is 0 where nothing is."""

    endpoints: Registered
    version: int
    now_ms: int


class Following(NamedTuple):
    """An endpoint that has not expired at `now_ms`, and the cursor that it was registered or activated with."""

    endpoint: Endpoint
    cursor: Position
    now_ms: int


class Endpoints:
    """The endpoints of all channels. Methods are given a `ChannelRecord`, and raise `Stale` when it is an old one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turns = Turns()

    async def list(self, channel: ChannelRecord) -> Registered:
        """The endpoints that have not expired, oldest first. Raises `Stale`, `Unavailable`."""
        kept = await self._load(channel)
        return tuple(sorted(alive(kept.endpoints, kept.now_ms), key=lambda each: each.id))

    async def change(
        self,
        channel: ChannelRecord,
        decide: Callable[[Registered, int], tuple[Registered, T]],
        keep: Callable[[T], Keep | None] = lambda _: None,
    ) -> T:
        """Replace the endpoints by what `decide` makes of them at a time in ms; answers what it answers beside them.

        It decides again when another process was faster; `keep` gives the answer to an Idempotency-Key that is kept in
        the same step. Raises what it raises, with nothing written, and `Stale`, `Answered`, `Unavailable`.
        """
        async with self._turns.of(keys_of(channel).endpoints):
            for _ in range(CHANGE_ATTEMPTS):
                kept = await self._load(channel)
                changed, outcome = decide(kept.endpoints, kept.now_ms)
                if await self._put(channel, kept, changed, keep(outcome)):
                    return outcome
        raise Unavailable("The webhooks of this channel are being changed by others", retry_after_s=1)

    async def following(self, channel: ChannelRecord, endpoint_id: str) -> Following | None:
        """An endpoint that is to be served, None for one that is not there or has expired.

        Raises `Stale`, `Unavailable`.
        """
        # In this order: who was removed and registered again in between has another id.
        kept = await self._load(channel)
        cursor = await answered(self._engine.client.hget(keys_of(channel).endpoints, f"cursor:{endpoint_id}"))
        found = next((each for each in alive(kept.endpoints, kept.now_ms) if each.id == endpoint_id), None)
        return Following(found, parse_position(cursor), kept.now_ms) if found and cursor else None

    async def active(self, channel: ChannelRecord) -> Sequence[Following]:
        """Those that are to be served. Raises `Stale`, `Unavailable`."""
        # In this order, as in `following`.
        kept = await self._load(channel)
        endpoints = [each for each in alive(kept.endpoints, kept.now_ms) if each.is_active]
        if not endpoints:
            return []
        fields = [f"cursor:{each.id}" for each in endpoints]
        found = await answered(self._engine.client.hmget(keys_of(channel).endpoints, fields))
        pairs = zip(endpoints, found, strict=True)
        return [Following(each, parse_position(cursor), kept.now_ms) for each, cursor in pairs if cursor]

    async def prune(self, channel: ChannelRecord) -> None:
        """Forget the endpoints that have expired, so that nothing is marked for them. Raises `Stale`, `Unavailable`."""
        await self.change(channel, lambda registered, now_ms: (alive(registered, now_ms), None))

    async def _load(self, channel: ChannelRecord) -> Kept:
        keys = keys_of(channel)
        pipeline = self._engine.client.pipeline(transaction=False)
        pipeline.hget(keys.meta, "version")
        pipeline.hmget(keys.endpoints, ("document", "version"))
        pipeline.time()
        record_version, (document, version), (seconds, micros) = await answered(pipeline.execute())
        if record_version is None or int(record_version) != channel.version:
            raise Stale
        now_ms = int(seconds) * 1000 + int(micros) // 1000 + self._engine.clock_offset_ms
        if document is None:
            return Kept((), 0, now_ms)
        return Kept(parse_stored(orjson.loads(document)), int(version), now_ms)

    async def _put(self, channel: ChannelRecord, kept: Kept, changed: Registered, keep: Keep | None) -> bool:
        keys = keys_of(channel)
        before = {each.id: each.activation for each in kept.endpoints}
        new = [each.id for each in changed if before.get(each.id) != each.activation]
        gone = before.keys() - {each.id for each in changed}
        answer = await PUT_ENDPOINTS.once(
            self._engine.client,
            [keys.endpoints, keys.meta],
            [
                kept.version,
                channel.version,
                orjson.dumps(render_stored(changed)) if changed else "",
                max((each.expires_ms for each in changed), default=0),
                "\n".join(render_member(name_of(channel, each.id)) for each in changed if each.is_active),
                len(new),
                *new,
                *gone,
            ],
            keep,
        )
        if answer in (b"stale", b"absent"):
            raise Stale
        return bool(answer == b"ok")
