"""How the readers of a watched channel read its log: with its record of now, and together with each other."""

from typing import Protocol

from broker.channels import ChannelRecord
from broker.errors import Unavailable
from broker.hub_limits import HubLimits
from broker.ids import Position
from broker.pages import Page, Types
from broker.shared_pages import Era, SharedPages
from broker.storage.log import Log, Stale

READ_ATTEMPTS = 8


class Recorded(Protocol):
    """Who knows the channel's record, and can read it anew."""

    record: ChannelRecord

    async def refresh(self) -> None:
        """Read the record; raises `NotFound` where the channel is gone, `Unavailable`."""
        ...


class LogPages:
    """Pages of one channel's log."""

    def __init__(self, recorded: Recorded, log: Log, shared: SharedPages, limits: HubLimits) -> None:
        self._recorded = recorded
        self._log = log
        self._shared = shared
        self._limits = limits
        self._era = Era()

    def begin_era(self) -> None:
        """Something happened to the log: what was read before answers nobody any more."""
        self._era = Era()

    async def fresh(self, start: Position, limit: int, types: Types | None, most_bytes: int) -> Page:
        """A page as the log is now, ended by the event that brings it to `most_bytes`.

        Raises `NotFound`, `Unavailable`.
        """
        for _ in range(READ_ATTEMPTS):
            record = self._recorded.record
            try:
                return await self._log.after(record, start, limit=limit, types=types, most_bytes=most_bytes)
            except Stale:
                if self._recorded.record is record:
                    await self._recorded.refresh()
        raise Unavailable("The channel is being changed by others", retry_after_s=1)

    async def read(self, start: Position, limit: int, types: Types | None) -> Page:
        """The same, of up to `page_bytes`, as the log was within the last moment: other readers may have read it.

        Raises the same.
        """
        if types is not None:
            return await self.fresh(start, limit, types, self._limits.page_bytes)
        return await self._shared.after(self._era, start, limit, self._unfiltered)

    async def _unfiltered(self, start: Position, limit: int) -> Page:
        return await self.fresh(start, limit, None, self._limits.page_bytes)
