"""Where channels live whose names are claimed by a tenant, such as `live-watch-<slug>` (design section 3).

The name says nothing of the tenant, so the claim does: a document of kind `home`, whose owner is the channel's id, and
which names the tenant's partition. It is written before the channel is made, and deleted after it.
"""

from collections.abc import Sequence

import orjson

from broker.change import DocumentKey
from broker.storage.connect import answered
from broker.storage.engine import Engine
from broker.storage.keys import state_key
from broker.tenants import is_claimed, owner_of

HOME = "home"


def home_key(channel_id: str) -> DocumentKey:
    """The document of the claim; it lives with the owner `channel_id`."""
    return DocumentKey(HOME, channel_id)


class Homes:
    """Finds where channels live."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def find(self, channel_ids: Sequence[str]) -> list[int]:
        """The partitions of these channels, in their order, whether the channels are there or not."""
        claimed = [each for each in channel_ids if is_claimed(each)]
        homes: dict[str, int] = {}
        if claimed:
            pipeline = self._engine.client.pipeline(transaction=False)
            for each in claimed:
                pipeline.hget(state_key(self._engine.partition(each), *home_key(each)), "body")
            bodies = await answered(pipeline.execute())
            homes = {each: orjson.loads(body)["partition"] for each, body in zip(claimed, bodies, strict=True) if body}
        return [homes.get(each, self._engine.partition(owner_of(each))) for each in channel_ids]
