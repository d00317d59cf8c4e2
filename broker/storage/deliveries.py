"""Which webhook endpoints have something to deliver, and who is at work on each (design section 5).

An append to a log marks the endpoints that follow it, in the very step of the append. A process claims what is marked
under a lease, so that an endpoint is served by one at a time; what it makes of it is recorded by a commit on the
version of the state that it began with, so that one whose lease ended records nothing.
"""

from broker.channels import ChannelRecord
from broker.storage.engine import Engine
from broker.storage.keys import partition_keys
from broker.storage.scripts import CLAIM_DELIVERIES, MARK_DELIVERY, REST_DELIVERY
from broker.storage.timers import Claims, parse_claims
from broker.tenants import owner_of
from broker.timers import Claimed, TimerName, render_member

KIND = "deliver"


def name_of(channel: ChannelRecord, endpoint_id: str) -> TimerName:
    """How an endpoint of a channel is marked: of a channel that was made again, none is an old one's."""
    return TimerName(KIND, channel.id, f"{channel.tag_letters}/{endpoint_id}")


class Deliveries:
    """The endpoints of all partitions, to be claimed like timers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def partitions(self) -> int:
        """How many partitions there are."""
        return self._engine.partitions

    def topic(self, partition: int) -> str:
        """The topic that tells of marks."""
        return partition_keys(partition).delivery_topic

    async def claim(self, partition: int, *, lease_ms: int, most: int) -> Claims:
        """Claim marked endpoints of a partition for ourselves. Raises `Unavailable`."""
        own = partition_keys(partition)
        keys = [own.deliveries, own.delivery_claims, own.fences]
        answer = await CLAIM_DELIVERIES(self._engine.steady, keys, [self._engine.clock_offset_ms, lease_ms, most])
        return parse_claims(answer)

    async def rest(self, claimed: Claimed, due_ms: int | None) -> bool:
        """The work on an endpoint is over until `due_ms`, or until it is marked; False when it was somebody else's."""
        name = claimed.timer.name
        own = partition_keys(self._partition(name))
        words = [self._engine.clock_offset_ms, render_member(name), claimed.fence, "" if due_ms is None else due_ms]
        keys = [own.deliveries, own.delivery_claims]
        return bool(await REST_DELIVERY(self._engine.steady, keys, [*words, own.delivery_topic]))

    async def release(self, claimed: Claimed, *, after_ms: int) -> None:
        """Give an endpoint back, to be claimed again after a while. Raises `Unavailable`."""
        now_ms = await self._engine.now_ms(self._partition(claimed.timer.name))
        await self.rest(claimed, now_ms + after_ms)

    def _partition(self, name: TimerName) -> int:
        # Their owner is a channel; where that lives is its tenant's to say, if it has one.
        return self._engine.partition(owner_of(name.owner))

    async def mark(self, name: TimerName) -> None:
        """Have an endpoint looked at now. Raises `Unavailable`."""
        own = partition_keys(self._partition(name))
        words = [self._engine.clock_offset_ms, render_member(name), own.delivery_topic]
        await MARK_DELIVERY(self._engine.steady, [own.deliveries], words)
