"""Pages of the list of channels, newest first, for somebody who may not see all of them (contract sections 4 and 16).

The indexes are spread over the partitions. A page reads a bounded number of members of each, merges them, and leaves
out what is not in the caller's reach; where little of it is, the page is short or empty and its cursor has moved on.
So one request does bounded work, however many channels there are, and all of them together visit each channel once.
"""

from collections.abc import Sequence
from typing import NamedTuple

from broker.channels import ChannelRecord
from broker.ids import render_tag
from broker.listing import Run, cursor_of, id_of, member_of, merge_runs, render_member
from broker.scopes import Reach
from broker.storage.channels import Channels, Listed
from broker.storage.connect import answered
from broker.storage.engine import Engine
from broker.storage.keys import partition_keys, record_key

MAX_LOOKED_AT = 20_000
MAX_PAGE_BYTES = 1_048_576
LOADED_AT_ONCE = 100
SLACK = 8
GROWTH = 4


class ListPage(NamedTuple):
    """Channels in the order of the list, and the cursor to go on from (None when there are no more)."""

    listed: list[Listed]
    cursor: str | None


class Index(NamedTuple):
    """A sorted set of members. `is_public`: of public channels, which everybody may see."""

    key: str
    is_public: bool


class ChannelList:
    """The list of all channels of an engine. Reserved channels are not in it."""

    def __init__(self, engine: Engine, channels: Channels) -> None:
        self._engine = engine
        self._channels = channels

    async def page(self, reach: Reach, *, limit: int, below: bytes | None) -> ListPage:
        """Up to `limit` public channels and channels in `reach` below a bound of `parse_list_cursor`, None for all.

        Fewer where few of those looked at are to be seen, or where their records are over 1 MB together.
        """
        run = await self._look(reach, limit, below)
        return await self._load(reach, run)

    async def _look(self, reach: Reach, limit: int, below: bytes | None) -> Run:
        indexes, named = self._indexes(reach), await self._named(reach)
        share = 2 * limit // self._engine.partitions + SLACK
        found: list[bytes] = []
        looked_at = 0
        while True:
            here = Run([member for member in named if below is None or member < below], b"")
            run = merge_runs([here, *await self._runs(indexes, reach, share, below)])
            found += run.members
            looked_at += share * len(indexes)
            if len(found) > limit:
                return Run(found[:limit], found[limit - 1])
            share *= GROWTH
            if not run.floor or len(found) == limit or looked_at + share * len(indexes) > MAX_LOOKED_AT:
                return Run(found, run.floor)
            below = run.floor

    def _indexes(self, reach: Reach) -> list[Index]:
        keys = [partition_keys(number) for number in range(self._engine.partitions)]
        public = [Index(each.public_channels, is_public=True) for each in keys]
        every = [Index(each.channels, is_public=False) for each in keys]
        if reach.is_everything:
            return every
        # A channel that is turned private between two reads of one page is found by its id, if that is in reach.
        return public + every if reach.prefixes else public

    async def _runs(self, indexes: Sequence[Index], reach: Reach, share: int, below: bytes | None) -> list[Run]:
        pipeline = self._engine.client.pipeline(transaction=False)
        for index in indexes:
            pipeline.zrevrangebylex(index.key, "+" if below is None else b"(" + below, "-", start=0, num=share)
        answers = await answered(pipeline.execute())
        return [
            _run(members, None if index.is_public else reach, share)
            for index, members in zip(indexes, answers, strict=True)
        ]

    async def _named(self, reach: Reach) -> list[bytes]:
        """The members of the channels that are in reach by their very id: they need not be looked for."""
        ids = [] if reach.is_everything else sorted(reach.ids)
        pipeline = self._engine.client.pipeline(transaction=False)
        for channel_id in ids:
            pipeline.hmget(record_key(self._engine.partition(channel_id), channel_id), ("created_ms", "tag"))
        answers = await answered(pipeline.execute()) if ids else []
        return [
            render_member(int(created_ms), render_tag(int(tag)), channel_id).encode()
            for channel_id, (created_ms, tag) in zip(ids, answers, strict=True)
            if tag is not None and reach.includes(channel_id)
        ]

    async def _load(self, reach: Reach, run: Run) -> ListPage:
        page: list[Listed] = []
        total_bytes = 0
        for at in range(0, len(run.members), LOADED_AT_ONCE):
            part = run.members[at : at + LOADED_AT_ONCE]
            expected = set(part)
            for listed in await self._channels.load([id_of(member) for member in part]):
                member = member_of(listed.record).encode()
                # Deleted, created again or turned private since it was looked at: not of this page.
                if member not in expected or not _is_visible(listed.record, reach):
                    continue
                page.append(listed)
                total_bytes += listed.record_bytes
                if total_bytes > MAX_PAGE_BYTES and (run.floor or member != run.members[-1]):
                    return ListPage(page, cursor_of(member))
        return ListPage(page, cursor_of(run.floor) if run.floor else None)


def _run(members: Sequence[bytes], reach: Reach | None, share: int) -> Run:
    floor = members[-1] if len(members) == share else b""
    shown = members if reach is None else [member for member in members if reach.includes(id_of(member))]
    return Run(shown, floor)


def _is_visible(record: ChannelRecord, reach: Reach) -> bool:
    return record.is_public or reach.includes(record.id)
