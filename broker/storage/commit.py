"""Commit: the only way in which a domain writes (design section 4).

Documents are loaded, the domain decides purely, and one script writes all of the Change or nothing. When somebody else
was faster it is loaded and decided again. Commands of one owner queue within a process, so that only other processes
can be faster.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from broker.change import Answer, Change, DocumentKey, check_size
from broker.channels import ChannelRecord, NewChannel
from broker.errors import Invalid, Refusal, Unavailable
from broker.idempotency import IdempotencyKey, Kept, check_replay, is_kept
from broker.ids import Position, parse_ulid, render_ulid
from broker.sealing import Sealer
from broker.storage.answers import sealed_body
from broker.storage.appender import Ack, Retention
from broker.storage.channels import Channels
from broker.storage.commit_call import Call, Sealed, call_of
from broker.storage.engine import Engine
from broker.storage.keys import partition_keys
from broker.storage.replication import not_replicated, then_wait
from broker.storage.scripts import COMMIT
from broker.storage.state import Found, Loaded, Reader
from broker.storage.turns import Turns
from broker.timers import Claimed

COMMIT_ATTEMPTS = 16
LONGEST_PAUSE_S = 0.05

Decide = Callable[[Loaded], Change]
Refuse = Callable[[Refusal], Answer]
Logs = Sequence[NewChannel | str]


class Needs(Exception):
    """Raised by a decision that must see further documents first; it is made again with them."""

    def __init__(self, *keys: DocumentKey) -> None:
        super().__init__(keys)
        self.keys = keys


class Fenced(Exception):
    """The claimed timer is no longer this process's: its lease ended, or it was armed anew or disarmed. Nothing was
    written, and whoever has it now does what is to be done."""


class Committed(NamedTuple):
    """What came of a command. `answer` is what to tell the caller, of this call or, replayed, of an earlier one.

    `positions` are of the first and the last event on each log. `version` is that of the documents that were written, 0
    where none was.
    """

    change: Change
    answer: Kept | None
    is_replayed: bool
    positions: dict[str, tuple[Position, Position]]
    version: int = 0


class Commits:
    """Executes commands on owners."""

    def __init__(
        self,
        engine: Engine,
        channels: Channels,
        reader: Reader,
        sealer: Sealer,
        retention: Retention,
        ack: Ack | None = None,
    ) -> None:
        self._engine = engine
        self._channels = channels
        self._reader = reader
        self._sealer = sealer
        self._retention = retention
        self._ack = ack
        self._turns = Turns()

    async def execute(
        self,
        owner: str,
        keys: Sequence[DocumentKey],
        decide: Decide,
        *,
        logs: Logs = (),
        key: IdempotencyKey | None = None,
        refuse: Refuse | None = None,
        claimed: Claimed | None = None,
    ) -> Committed:
        """Load these documents of an owner, decide, and write what was decided, all or nothing.

        `decide` is pure, and is called again with what others wrote in between; it may ask for more by `Needs`. All
        that it saw is what it was when the Change is written. `logs` are the channels that it may append to: those
        given as `NewChannel` are made where they are not there yet; the tail of the first is read with the documents,
        and its last id is the answer's cursor. With a `key` the answer is kept in the same step, and an earlier one is
        replayed; a refusal of `decide` is kept as `refuse` renders it. A `claimed` timer is disarmed by the commit,
        whatever was decided.

        Raises what `decide` raises, with nothing else written; `KeyReused`, `Conflict` for a secret no longer kept,
        `Invalid` for a reply to nothing, `NotFound` for a log, `TooLarge` beyond 500 operations, `Fenced`, and
        `Unavailable` when it does not succeed in time, its outcome is unknown, or no replica has it where one must.
        """
        partition, wanted = self._engine.partition(owner), list(dict.fromkeys(keys))
        async with self._turns.of(owner):
            for attempt in range(COMMIT_ATTEMPTS):
                found = await self._find(partition, wanted, logs, key)
                if key is not None and found.kept is not None:
                    await self._confirm(partition)
                    return Committed(Change(), check_replay(key, found.kept), True, {})
                try:
                    change, refusal = _decided(decide, found.loaded, refuse if key else None)
                except Needs as more:
                    wanted += [each for each in more.keys if each not in wanted]
                    continue
                committed = await self._commit(partition, found.loaded, change, key, claimed)
                if committed is not None:
                    if refusal is not None:
                        raise refusal
                    return committed
                await asyncio.sleep(random.uniform(0, min(LONGEST_PAUSE_S, 0.001 * 2**attempt)))  # noqa: S311
        raise Unavailable("This is being changed by others", retry_after_s=1)

    async def _find(
        self, partition: int, wanted: Sequence[DocumentKey], logs: Logs, key: IdempotencyKey | None
    ) -> Found:
        records = [await self._record(each, partition) for each in logs]
        if any(record.partition != partition for record in records):
            raise ValueError("a log of another partition than its owner's")
        return await self._reader.read(partition, wanted, logs=records, key=key)

    async def _record(self, log: NewChannel | str, partition: int) -> ChannelRecord:
        record = await self._known(log)
        if record.partition == partition:
            return record
        # Remembered from before its name was claimed by this owner.
        self._channels.forget(record.id)
        return await self._known(log)

    async def _known(self, log: NewChannel | str) -> ChannelRecord:
        return await (self._channels.find(log) if isinstance(log, str) else self._channels.ensure(log))

    async def _commit(
        self, partition: int, loaded: Loaded, change: Change, key: IdempotencyKey | None, claimed: Claimed | None
    ) -> Committed | None:
        """What was written; None when it is to be decided again."""
        check_size(change)
        kept = self._sealed(key, change.answer, loaded) if key and change.answer else None
        if change.is_empty and kept is None and claimed is None:
            await self._confirm(partition)
            return Committed(change, _shown(change.answer, loaded, {}), False, {})
        call = call_of(
            partition,
            change,
            read=loaded.documents,
            records=loaded.records,
            retention=self._retention,
            offset_ms=self._engine.clock_offset_ms,
            claimed=claimed,
            kept=kept,
        )
        answer, is_safe = await self._run(call)
        match answer:
            case [b"ok", *_] if not is_safe:
                raise not_replicated()
            case [b"ok", version, *firsts]:
                positions = _positions(change, call.logs, firsts)
                return Committed(change, _shown(change.answer, loaded, positions), False, positions, int(version))
            case [b"stale", channel_id]:
                self._channels.forget(channel_id.decode())
            case [b"fenced"]:
                raise Fenced
            case [b"reply", place]:
                raise Invalid(f"reply_to of event {int(place)} names no event of this channel")
        return None

    async def _run(self, call: Call) -> tuple[list[bytes], bool]:
        """What the script says, and whether what it wrote is as safe as configured."""
        if self._ack is None:
            return await COMMIT(self._engine.client, call.keys, call.args), True
        return await COMMIT.replicated(self._engine.client, call.keys, call.args, timeout_ms=self._ack.timeout_ms)

    async def _confirm(self, partition: int) -> None:
        """What is told though nothing is written now may be on no replica yet: who has this write has that too."""
        if self._ack is not None:
            call = ("SET", partition_keys(partition).waited, "1")
            _, is_safe = await then_wait(self._engine.client, call, self._ack.timeout_ms)
            if not is_safe:
                raise not_replicated()

    def _sealed(self, key: IdempotencyKey, answer: Answer, loaded: Loaded) -> Sealed | None:
        if not is_kept(answer.status):
            return None
        body = sealed_body(self._sealer, key, answer)
        log = loaded.records.get(answer.channel_id or "")
        is_told = loaded.tail is not None and loaded.tail.channel_id == answer.channel_id
        tail = parse_ulid(loaded.tail.cursor).position.stream if is_told and loaded.tail else ""
        return Sealed(key, answer, body, log, tail)


def _decided(decide: Decide, loaded: Loaded, refuse: Refuse | None) -> tuple[Change, Refusal | None]:
    try:
        return decide(loaded), None
    except Refusal as refusal:
        if refuse is None or not is_kept(refusal.status):
            raise
        return Change(answer=refuse(refusal)), refusal


def _positions(change: Change, logs: Sequence[str], firsts: Sequence[bytes]) -> dict[str, tuple[Position, Position]]:
    positions = {}
    for i, channel_id in enumerate(logs):
        first = Position(int(firsts[2 * i]), int(firsts[2 * i + 1]))
        count = sum(each.channel_id == channel_id for each in change.events)
        positions[channel_id] = first, Position(first.ms, first.seq + count - 1)
    return positions


def _shown(answer: Answer | None, loaded: Loaded, positions: dict[str, tuple[Position, Position]]) -> Kept | None:
    if answer is None:
        return None
    channel_id, cursor = answer.channel_id, None
    if channel_id in positions:
        cursor = render_ulid(loaded.records[channel_id].tag_letters, positions[channel_id][1])
    elif loaded.tail is not None and loaded.tail.channel_id == channel_id:
        cursor = loaded.tail.cursor
    return Kept("", answer.status, answer.body, channel_id, cursor)
