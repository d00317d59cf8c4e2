"""What happens between the check of a credential and the subscription that it opened."""

import asyncio

import pytest

from broker.closing import Closed
from handlers.auth import Access
from handlers.channels.door import subscribed
from tests.broker_server import BrokerServer


async def test_a_key_that_is_removed_while_a_reader_is_let_in_ends_it_at_once(broker_server: BrokerServer) -> None:
    channel = await broker_server.create("secret", is_public=False)
    broker = broker_server.broker
    access = Access(channel, broker.verifier.grant_of(broker_server.token("sub:secret")))
    broker.verifier.replace_keys({})
    broker.hub.judge_all()
    async with subscribed(broker, access, None, None) as subscription:
        with pytest.raises(Closed) as closed:
            await asyncio.wait_for(subscription.next(), 5)
    assert closed.value.code == 4401
