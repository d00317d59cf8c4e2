"""The publish path: appends that wait at the same time share one script call per partition.

While a call is under way, what arrives for its partition waits and goes with the next, so that load makes bigger calls
instead of more. In a call, publishes to a log that can only be stored or refused together go as one. A publish whose
caller went away is stored all the same: the call runs in a task of its own.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from broker.channels import ChannelRecord
from broker.counts import AppendCounts
from broker.errors import Invalid, KeyReused
from broker.events import Stored
from broker.ids import Position
from broker.storage.channels import keys_of
from broker.storage.engine import Engine
from broker.storage.keys import PartitionKeys, idempotency_key, partition_keys
from broker.storage.replication import not_replicated, then_wait
from broker.storage.scripts import APPEND

MAX_CALL_BYTES = 1_048_576
MAX_CALL_EVENTS = 500
"""So the engine does not stand still for others, and works on one call while this process makes the next: with 64
publishers of batches of 100 it takes 1.5 times the events of calls of 5,000 (median of three alternating rounds)."""

MAX_JOINED_BYTES = 49_152
"""What is joined fits one message of the feed (64 KB, `lua/parts/log.lua`), with all that stands around it there."""

BESIDE_BYTES = 35

Answer = bytes | list[bytes]
"""What `append.lua` says of a publish: the first position where it was stored, else a verdict and its words."""


class Idempotency(NamedTuple):
    """An Idempotency-Key: the digest of whose and which key it is, and the digest of the body it came with."""

    key: str
    body: str


class Retention(NamedTuple):
    """What is kept where a channel does not say: days and events; and how long answers to keys are kept."""

    days: int
    events: int
    idempotency_ttl_s: int


class Ack(NamedTuple):
    """A publish is answered once a replica has it too, which may take so long."""

    timeout_ms: int


class Appended(NamedTuple):
    """The positions of a publish; `replayed` when they were given out at an earlier call with the same key."""

    positions: list[Position]
    replayed: bool


@dataclass(slots=True)
class Waiting:
    """One publish that waits for its script call."""

    channel: ChannelRecord
    events: Sequence[Stored]
    idempotency: Idempotency | None
    outcome: "asyncio.Future[Appended | None]"
    bytes: int = field(init=False)
    is_plain: bool = field(init=False)
    """Whether nothing but the record of its channel decides if it is stored."""

    def __post_init__(self) -> None:
        """Weigh it once."""
        self.bytes, self.is_plain = 0, self.idempotency is None
        for event in self.events:
            self.bytes += len(event.tail)
            if event.type_json:
                self.bytes += len(event.type_json)
            if event.publisher:
                self.bytes += len(event.publisher.encode())
            if event.reply_to:
                self.is_plain = False


class Joined:
    """Publishes to one log that `append.lua` takes as one: each has its events behind those of the one before."""

    __slots__ = ("bytes", "events", "publishes")

    def __init__(self, first: Waiting) -> None:
        self.publishes = [first]
        self.events = len(first.events)
        self.bytes = first.bytes + BESIDE_BYTES * self.events

    def takes(self, waiting: Waiting) -> bool:
        """Add a plain publish, if there is room."""
        total = self.bytes + waiting.bytes + BESIDE_BYTES * len(waiting.events)
        if total > MAX_JOINED_BYTES:
            return False
        self.publishes.append(waiting)
        self.events += len(waiting.events)
        self.bytes = total
        return True


class Appender:
    """Joins the appends of this process, and counts them."""

    def __init__(self, engine: Engine, retention: Retention, ack: Ack | None = None) -> None:
        self._engine = engine
        self._retention = retention
        self._ack = ack
        self.counts = AppendCounts()
        self._waiting: dict[int, list[Waiting]] = {}
        self._calls: set[asyncio.Task[None]] = set()

    async def append(
        self, channel: ChannelRecord, events: Sequence[Stored], idempotency: Idempotency | None
    ) -> Appended | None:
        """Store the events as one; None for a record that is not the present one. Raises as `Log.append` says."""
        waiting = Waiting(channel, events, idempotency, asyncio.get_running_loop().create_future())
        queue = self._waiting.get(channel.partition)
        if queue is None:
            self._waiting[channel.partition] = [waiting]
            task = asyncio.create_task(self._run(channel.partition), name=f"append-p{channel.partition:02d}")
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        else:
            queue.append(waiting)
        return await waiting.outcome

    async def drained(self) -> None:
        """Wait until everything handed over was answered."""
        while self._calls:
            await asyncio.wait(self._calls)

    async def _run(self, partition: int) -> None:
        while queue := self._waiting[partition]:
            share = _take_share(queue)
            self.counts.calls.observe(len(share))
            joined = _join(share)
            try:
                answers, is_safe = await self._call(partition, joined)
                for each, answer in zip(joined, answers, strict=True):
                    self._count(each, answer)
                    _settle_all(each, answer, is_safe=is_safe)
            except Exception as error:
                # A refusal, or a defect: each caller tells its own client, and the others go on.
                for waiting in share:
                    _settle(waiting, error)
        del self._waiting[partition]

    def _count(self, joined: Joined, answer: Answer) -> None:
        if isinstance(answer, bytes):
            self.counts.publishes += len(joined.publishes)
            self.counts.events += joined.events
        self.counts.replays += _is_replay(answer)

    async def _call(self, partition: int, joined: list[Joined]) -> tuple[list[Answer], bool]:
        """The answers, and whether what they tell of is as safe as configured."""
        own = partition_keys(partition)
        keys, args = _render_call(own, joined, self._retention, self._engine.clock_offset_ms)
        client, ack = self._engine.steady, self._ack
        if ack is None:
            return await APPEND(client, keys, args), True
        answers, is_safe = await APPEND.replicated(client, keys, args, timeout_ms=ack.timeout_ms)
        if any(map(_is_replay, answers)):
            # A replay writes nothing, and what it tells of may be on no replica yet. Who has this write has that too.
            _, is_safe = await then_wait(client, ("SET", own.waited, "1"), ack.timeout_ms)
        return answers, is_safe


def _join(share: list[Waiting]) -> list[Joined]:
    """What may go as one: the publishes of a log keep their order, also around one that must go alone."""
    joined: list[Joined] = []
    last: dict[tuple[int, int], Joined] = {}
    for waiting in share:
        identity = (waiting.channel.tag, waiting.channel.version)
        open_one = last.get(identity)
        if waiting.is_plain and open_one is not None and open_one.takes(waiting):
            continue
        joined.append(Joined(waiting))
        if waiting.is_plain:
            last[identity] = joined[-1]
        else:
            last.pop(identity, None)
    return joined


def _render_call(
    own: PartitionKeys, joined: list[Joined], retention: Retention, clock_offset_ms: int
) -> tuple[list[str], list[Any]]:
    """Keys and words for `append.lua`: what the publishes of a log have in common stands there once."""
    keys: list[str] = [own.floor, own.trims]
    common: list[Any] = []
    numbers: dict[tuple[int, int], int] = {}
    answer_keys: list[str] = []
    words: list[Any] = []
    for each in joined:
        channel, kept = each.publishes[0].channel, each.publishes[0].idempotency
        identity = (channel.tag, channel.version)
        number = numbers.get(identity)
        if number is None:
            number = numbers[identity] = len(numbers) + 1
            log = keys_of(channel)
            keys += (log.meta, log.stream, log.replies)
            kept_ms, kept_events = channel.retention_ms(retention.days), channel.retention_events(retention.events)
            common += (channel.id, log.topic, channel.version, kept_ms, kept_events)
        if kept:
            answer_keys.append(idempotency_key(channel.partition, channel.tag, kept.key))
        words += (number, kept.body if kept else "", each.events)
        for waiting in each.publishes:
            for event in waiting.events:
                parent = event.reply_to.within(channel.tag).stream if event.reply_to else ""
                words += (event.type_json or "", event.publisher or "", parent, event.tail)
    head = (clock_offset_ms, len(numbers), len(joined), retention.idempotency_ttl_s * 1000)
    return [*keys, *answer_keys], [*head, *common, *words]


def _take_share(queue: list[Waiting]) -> list[Waiting]:
    total, events, count = 0, 0, 0
    for waiting in queue[:MAX_CALL_EVENTS]:
        total += waiting.bytes
        events += len(waiting.events)
        if count and (total > MAX_CALL_BYTES or events > MAX_CALL_EVENTS):
            break
        count += 1
    share = queue[:count]
    del queue[:count]
    return share


def _is_replay(answer: Answer) -> bool:
    return not isinstance(answer, bytes) and answer[0] == b"replayed"


def _settle_all(joined: Joined, answer: Answer, *, is_safe: bool) -> None:
    place = 0
    for waiting in joined.publishes:
        _settle(waiting, _outcome(waiting, place, answer, is_safe=is_safe))
        place += len(waiting.events)


def _outcome(waiting: Waiting, place: int, answer: Answer, *, is_safe: bool) -> Appended | Exception | None:
    """What came of a publish whose first event is number `place` of those that were stored with it."""
    verdict, *words = [b"ok", *answer.split(b"-")] if isinstance(answer, bytes) else answer
    match verdict:
        case b"ok" | b"replayed" if not is_safe:
            return not_replicated()
        case b"ok" | b"replayed":
            ms, seq = int(words[0]), int(words[1]) + place
            positions = [Position(ms, seq + i) for i in range(len(waiting.events))]
            return Appended(positions, replayed=verdict == b"replayed")
        case b"stale":
            return None
        case b"key":
            return KeyReused("This Idempotency-Key came with another body before")
        case _:
            return Invalid(f"reply_to of event {int(words[0])} names no event of this channel")


def _settle(waiting: Waiting, outcome: Appended | Exception | None) -> None:
    if waiting.outcome.done():
        return
    if isinstance(outcome, Exception):
        waiting.outcome.set_exception(outcome)
    else:
        waiting.outcome.set_result(outcome)
