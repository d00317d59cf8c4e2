"""Position checks: what each log says of itself is compared with what arrived, so that a lost message is found.

A channel in use is compared every `position_check_s`, a quiet one every `idle_position_check_s`. An answer is also a
sign of the engine's life, for the vouching.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from broker.cursors import LogMeta
from broker.errors import Unavailable
from broker.hub_limits import HubLimits
from broker.ids import ORIGIN, Position
from broker.storage.channels import Channels
from broker.storage.engine import Engine
from broker.storage.feeds import LiveFeed
from broker.storage.log_checks import check_logs
from broker.vouching import Vouching
from broker.watched import Watched

CHECKED_AT_ONCE = 256

logger = logging.getLogger(__name__)


class PositionChecks:
    """Checks the watched channels of a process, which are given by topic."""

    def __init__(
        self,
        engine: Engine,
        channels: Channels,
        feed: LiveFeed,
        limits: HubLimits,
        vouching: Vouching,
        watched: Mapping[str, Watched],
    ) -> None:
        self._engine = engine
        self._channels = channels
        self._feed = feed
        self._limits = limits
        self._vouching = vouching
        self._watched = watched
        self._unsure_floors: set[int] = set()

    def doubt(self, partitions: Iterable[int]) -> None:
        """The engine of these may have forgotten which ids it has given out."""
        self._unsure_floors.update(partitions)

    async def check(self) -> None:
        """Compare what is due. No answer is left to the vouching, a defect to the next time."""
        try:
            answering = await self._engine.answering()
            self._vouching.answered(answering, time.monotonic())
            await self._raise_floors(answering)
            for partition, some in self._due(answering):
                await self._compare(partition, some)
        except Unavailable as refusal:
            logger.warning("positions could not be checked: %s", refusal.message)
        except Exception:
            logger.exception("positions could not be checked")

    async def _compare(self, partition: int, some: list[Watched]) -> None:
        marks = [watched.mark for watched in some]
        known = [
            (watched.record, None if watched.is_doubted else mark) for watched, mark in zip(some, marks, strict=True)
        ]
        answers = await check_logs(self._engine, known)
        self._vouching.answered({partition}, time.monotonic())
        for watched, checked, mark in zip(some, answers, marks, strict=True):
            if isinstance(checked, LogMeta) and mark.is_beyond(checked):
                await self._channels.raise_floor(partition, mark.top)
            watched.compare(checked, mark)

    async def _raise_floors(self, answering: set[int]) -> None:
        """What is published from now on lies above all that was delivered here, though the engine forgot it."""
        unsure = self._unsure_floors & answering
        highest: dict[int, Position] = {}
        for watched in self._watched.values() if unsure else ():
            partition = watched.record.partition
            highest[partition] = max(watched.highest, highest.get(partition, ORIGIN))
        for partition in unsure:
            await self._channels.raise_floor(partition, highest.get(partition, ORIGIN))
            self._unsure_floors.discard(partition)

    def _due(self, answering: set[int]) -> Iterator[tuple[int, list[Watched]]]:
        """The channels to compare now, by partition and in portions that the loop can take."""
        now, due = time.monotonic(), defaultdict(list)
        for topic, watched in self._watched.items():
            partition = watched.record.partition
            if watched.is_started and partition in answering and self._is_due(topic, watched, now):
                due[partition].append(watched)
        for partition, all_due in due.items():
            for i in range(0, len(all_due), CHECKED_AT_ONCE):
                yield partition, all_due[i : i + CHECKED_AT_ONCE]

    def _is_due(self, topic: str, watched: Watched, now: float) -> bool:
        is_active = max(watched.heard_at, watched.read_at) > now - self._limits.active_s
        # While no messages can come, the check is all there is.
        is_pressing = is_active or not self._feed.hears(topic)
        interval = self._limits.position_check_s if is_pressing else self._limits.idle_position_check_s
        return now - watched.checked_at >= interval * 0.9
