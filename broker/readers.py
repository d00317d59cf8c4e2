"""The readers of one watched channel: who may go on, who is woken, and who lives at its tip."""

from collections.abc import Callable, Iterator

from broker.channels import ChannelRecord
from broker.closing import DEFECT, CloseReason
from broker.counts import HubCounts
from broker.ids import Position
from broker.pages import Types
from broker.subscription import Subscription
from broker.sweeper import Sweeper
from broker.tip import Encode, Tip, Write

Judge = Callable[[ChannelRecord], CloseReason | None]


class Readers:
    """The subscriptions of a channel, each with its judge. One at the tip is not woken, but written to."""

    def __init__(self, start: Position, sweeper: Sweeper, counts: HubCounts) -> None:
        self.tip: Tip[Subscription] = Tip(start, sweeper, counts, _end_broken)
        self._judges: dict[Subscription, Judge] = {}
        self._woken: dict[Subscription, None] = {}

    def __len__(self) -> int:
        return len(self._judges)

    def __iter__(self) -> Iterator[Subscription]:
        return iter(self._judges)

    def add(self, subscription: Subscription, judge: Judge) -> None:
        """One more, to be woken."""
        self._judges[subscription] = judge
        self._woken[subscription] = None

    def remove(self, subscription: Subscription) -> None:
        """Forget one."""
        subscription.leave_tip()
        self._judges.pop(subscription, None)
        self._woken.pop(subscription, None)

    def join_tip(
        self, subscription: Subscription, top: Position, types: Types | None, encode: Encode, write: Write
    ) -> None:
        """Write to one that has everything up to `top`, the tip of the log, as events come."""
        self._woken.pop(subscription, None)
        self.tip.join(subscription, top, types, encode, write)

    def leave_tip(self, subscription: Subscription) -> None:
        """Wake it again instead."""
        self.tip.leave(subscription)
        if subscription in self._judges:
            self._woken[subscription] = None

    def scatter(self) -> None:
        """Nobody lives at the tip until it took what is there now: what comes may not follow what was written."""
        for subscription in self.tip.clear():
            subscription.leave_tip()

    def wake(self) -> None:
        """Tell all that are woken that there may be something new; one that is woken may leave at once."""
        for subscription in list(self._woken):
            subscription.wake()

    def judge(self, subscription: Subscription, record: ChannelRecord) -> None:
        """Close one that may not read a channel with this record."""
        reason = self._judges[subscription](record)
        if reason is not None:
            subscription.close(reason)

    def judge_all(self, record: ChannelRecord) -> None:
        """Close those that may not read a channel with this record."""
        for subscription in list(self._judges):
            self.judge(subscription, record)

    def close_all(self, reason: CloseReason) -> None:
        """Close every subscription."""
        for subscription in list(self._judges):
            subscription.close(reason)

    def lose(self, top: Position) -> None:
        """Close those that are past `top`, which is all that the log still has."""
        for subscription in list(self._judges):
            subscription.lose(top)


def _end_broken(subscription: Subscription) -> None:
    subscription.close(DEFECT)
