"""What every held-open reader shares: the bound per token, the right to go on, and the end at expiry or old age."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from broker.channels import ChannelRecord
from broker.closing import FORBIDDEN, RESTART, TOKEN_EXPIRED, CloseReason
from broker.cursors import Start
from broker.errors import Unavailable
from broker.pages import Types
from broker.presence import Person, Seat, person_of
from broker.readers import Judge
from broker.scopes import Grant
from broker.storage.log import Stale
from broker.subscription import Subscription
from handlers.auth import Access
from handlers.broker import Broker

AGE_JITTER = 0.2
EXPIRY_SLACK_S = 0.05


class Reading:
    """One held-open reader: counted, and timed to its expiry and old age, until `end`."""

    __slots__ = ("_age_tick", "_broker", "_channel", "_expiry", "_principal", "_seat", "subscription")

    def __init__(self, broker: Broker, access: Access, subscription: Subscription, *, is_present: bool) -> None:
        self.subscription = subscription
        self._seat: Seat | None = None
        if is_present:
            self._seat = broker.presence.enter(access.channel, whom(broker, access.grant))
        self._broker = broker
        self._channel = access.channel
        self._principal = _principal(access)
        self._age_tick = broker.ages.add(subscription, age_s(broker))
        left_s = expires_in_s(broker, access.grant)
        self._expiry: asyncio.TimerHandle | None = None
        if left_s is not None:
            loop = asyncio.get_running_loop()
            self._expiry = loop.call_later(left_s, _end_if_forbidden, broker, access.grant, subscription)

    def end(self) -> None:
        """Give everything back. Called once."""
        if self._expiry is not None:
            self._expiry.cancel()
        if self._seat is not None:
            self._seat.leave()
        self._broker.ages.discard(self.subscription, self._age_tick)
        self._broker.hub.unsubscribe(self._channel, self.subscription)
        self._broker.open_connections.leave(self._principal)


async def open_reading(
    broker: Broker, access: Access, start: Start | None, types: Types | None, *, is_present: bool = True
) -> Reading:
    """A subscription that ends by itself when the reader may no longer read, grows old, or the process drains.

    It counts as a reader of the channel, unless it is not `is_present`: a long poll comes and goes.
    Raises `TooMany` past the connections of one token, `NotFound`, and `Unavailable` while draining.
    """
    if broker.is_draining():
        raise Unavailable("The server is restarting", retry_after_s=1)
    principal = _principal(access)
    broker.open_connections.enter(principal)
    try:
        subscription = await _subscribe(broker, access, start, types)
    except BaseException:
        broker.open_connections.leave(principal)
        raise
    if broker.is_draining():  # begun while this one was made, and perhaps too late to be told
        subscription.close(RESTART)
    return Reading(broker, access, subscription, is_present=is_present)


@asynccontextmanager
async def subscribed(
    broker: Broker, access: Access, start: Start | None, types: Types | None, *, is_present: bool = True
) -> AsyncIterator[Subscription]:
    """The subscription of an `open_reading` while entered."""
    reading = await open_reading(broker, access, start, types, is_present=is_present)
    try:
        yield reading.subscription
    finally:
        reading.end()


async def _subscribe(broker: Broker, access: Access, start: Start | None, types: Types | None) -> Subscription:
    try:
        return await broker.hub.subscribe(access.channel, start, types, judge_of(broker, access.grant))
    except Stale:
        raise Unavailable("The channel was deleted and created again", retry_after_s=1) from None


def judge_of(broker: Broker, grant: Grant | None) -> Judge:
    """What the hub asks of a reader with this grant; one and the same for all that have none."""
    if grant is None:
        return _judge_stranger
    return lambda record: judge(broker, grant, record)


def _judge_stranger(channel: ChannelRecord) -> CloseReason | None:
    return None if channel.is_public else FORBIDDEN


def _principal(access: Access) -> str | None:
    return None if access.grant is None else access.grant.principal


def judge(broker: Broker, grant: Grant | None, channel: ChannelRecord) -> CloseReason | None:
    """Why a reader with this grant must stop reading this channel, None when it may go on."""
    if channel.is_public:
        return None
    if grant is None or not grant.may_subscribe(channel.id):
        return FORBIDDEN
    return None if broker.verifier.still_good(grant, broker.now_s()) else TOKEN_EXPIRED


def whom(broker: Broker, grant: Grant | None) -> Person | None:
    """Whom a reader with this grant is present as, None where it is only counted."""
    return None if broker.site.presence == "nobody" else person_of(grant)


def age_s(broker: Broker) -> float:
    """How long one held-open reader lives, another time for each: those of one moment shall not all return in one."""
    return broker.limits.socket_age_s * random.uniform(1 - AGE_JITTER, 1)  # noqa: S311 - spreads load


def expires_in_s(broker: Broker, grant: Grant | None) -> float | None:
    """In how many seconds a grant will have ended by itself, None when it will not."""
    ends_at_s = broker.verifier.ends_at_s(grant) if grant else None
    return None if ends_at_s is None else max(0.0, ends_at_s - broker.now_s()) + EXPIRY_SLACK_S


def _end_if_forbidden(broker: Broker, grant: Grant | None, subscription: Subscription) -> None:
    reason = judge(broker, grant, subscription.channel)
    if reason is not None:
        subscription.close(reason)
