"""The readers of a channel: who is woken, who is written to, and who must go."""

from collections.abc import Sequence
from typing import cast

from broker.channels import ChannelRecord
from broker.closing import FORBIDDEN, CloseReason
from broker.counts import HubCounts
from broker.events import Frame
from broker.ids import ORIGIN, Position
from broker.readers import Readers
from broker.subscription import Source, Subscription
from broker.sweeper import Sweeper
from broker.window import Window
from tests.broker.model_log import RECORD


class Quiet:
    """A channel where nothing happens."""

    record = RECORD
    total = 0

    def __init__(self) -> None:
        self.window = Window(ORIGIN, max_frames=5, max_bytes=500)
        self.counts = HubCounts()


def encode(frames: Sequence[Frame]) -> bytes:
    return b"".join(frame.wire for frame in frames)


def nobody_judges(_: ChannelRecord) -> CloseReason | None:
    return None


def scene(count: int) -> tuple[Readers, list[Subscription], list[int]]:
    readers, woken = Readers(ORIGIN, Sweeper(), HubCounts()), [0] * count

    def waking(i: int) -> Subscription:
        def wake() -> None:
            woken[i] += 1

        return Subscription(cast("Source", Quiet()), readers, ORIGIN, None, wake)

    subscriptions = [waking(i) for i in range(count)]
    for subscription in subscriptions:
        readers.add(subscription, nobody_judges)
    return readers, subscriptions, woken


def test_all_are_woken_but_those_at_the_tip() -> None:
    readers, subscriptions, woken = scene(3)
    subscriptions[1].live_at_tip(encode, lambda _: None)
    readers.wake()
    assert woken == [1, 0, 1]
    subscriptions[1].leave_tip()
    readers.wake()
    assert woken == [2, 1, 2]


def test_scattering_wakes_nobody_but_lets_all_be_woken() -> None:
    readers, subscriptions, woken = scene(2)
    for subscription in subscriptions:
        subscription.live_at_tip(encode, lambda _: None)
    readers.scatter()
    assert woken == [0, 0] and not any(subscription.is_live for subscription in subscriptions)
    readers.wake()
    assert woken == [1, 1]


def test_one_that_was_removed_is_neither_woken_nor_counted() -> None:
    readers, subscriptions, woken = scene(2)
    subscriptions[0].live_at_tip(encode, lambda _: None)
    readers.remove(subscriptions[0])
    readers.remove(subscriptions[0])
    readers.wake()
    assert (len(readers), woken) == (1, [0, 1])


def test_judging_closes_those_who_may_not_read_also_at_the_tip() -> None:
    readers, subscriptions, woken = scene(2)
    subscriptions[0].live_at_tip(encode, lambda _: None)
    readers.add(subscriptions[0], lambda _: FORBIDDEN)
    readers.judge_all(RECORD)
    assert [subscription.is_closing for subscription in subscriptions] == [True, False]
    assert woken == [1, 0] and not subscriptions[0].is_live


def test_those_past_the_end_of_the_log_are_closed() -> None:
    readers, subscriptions, _ = scene(1)
    readers.lose(ORIGIN)
    assert not subscriptions[0].is_closing
    readers.lose(Position(-1, 0))
    assert subscriptions[0].is_closing
