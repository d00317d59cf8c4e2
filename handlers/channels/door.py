"""What every held-open reader shares: the bound per token, the right to go on, and the end at expiry or old age."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from broker.channels import ChannelRecord
from broker.cursors import Start
from broker.errors import Unavailable
from broker.pages import Types
from broker.presence import Person, person_of
from broker.scopes import Grant
from broker.storage.log import Stale
from broker.subscription import FORBIDDEN, RESTART, TOKEN_EXPIRED, CloseReason, Subscription
from handlers.auth import Access
from handlers.broker import Broker

AGE_JITTER = 0.2
EXPIRY_SLACK_S = 0.05


@asynccontextmanager
async def subscribed(
    broker: Broker, access: Access, start: Start | None, types: Types | None, *, is_present: bool = True
) -> AsyncIterator[Subscription]:
    """A subscription that ends by itself when the reader may no longer read, grows old, or the process drains.

    It counts as a reader of the channel, unless it is not `is_present`: a long poll comes and goes.
    Raises `TooMany` past the connections of one token, `NotFound`, and `Unavailable` while draining.
    """
    if broker.is_draining():
        raise Unavailable("The server is restarting", retry_after_s=1)
    with broker.open_connections.hold(access.grant.principal if access.grant else None):
        subscription = await _subscribe(broker, access, start, types)
        if broker.is_draining():  # begun while this one was made, and perhaps too late to be told
            subscription.close(RESTART)
        timers = _timers(broker, access, subscription)
        # While it was being opened nobody judged it: a key may have been removed, the channel turned private.
        _end_if_forbidden(broker, access.grant, subscription)
        seat = broker.presence.enter(access.channel, whom(broker, access.grant)) if is_present else None
        try:
            yield subscription
        finally:
            for timer in timers:
                timer.cancel()
            if seat is not None:
                seat.leave()
            broker.hub.unsubscribe(access.channel, subscription)


async def _subscribe(broker: Broker, access: Access, start: Start | None, types: Types | None) -> Subscription:
    try:
        return await broker.hub.subscribe(
            access.channel, start, types, lambda record: judge(broker, access.grant, record)
        )
    except Stale:
        raise Unavailable("The channel was deleted and created again", retry_after_s=1) from None


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


def _timers(broker: Broker, access: Access, subscription: Subscription) -> list[asyncio.TimerHandle]:
    loop = asyncio.get_running_loop()
    timers = [loop.call_later(age_s(broker), subscription.close, RESTART)]
    left_s = expires_in_s(broker, access.grant)
    if left_s is not None:
        timers.append(loop.call_later(left_s, _end_if_forbidden, broker, access.grant, subscription))
    return timers


def _end_if_forbidden(broker: Broker, grant: Grant | None, subscription: Subscription) -> None:
    reason = judge(broker, grant, subscription.channel)
    if reason is not None:
        subscription.close(reason)
