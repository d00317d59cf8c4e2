"""What is done on a record that turns out to be an old one is done again on that of now."""

import pytest

from broker.errors import Unavailable
from broker.storage.log import Stale
from handlers.fresh_record import DECISIONS, on_fresh_record
from tests.broker_server import BrokerServer


async def test_it_is_done_again_with_the_record_of_now(broker_server: BrokerServer) -> None:
    channels, old = broker_server.broker.channels, await broker_server.create("news")
    await broker_server.change("news", name="other")
    records = iter([old])

    async def attempt() -> str:
        record = next(records, None) or await channels.find("news")
        await broker_server.broker.endpoints.list(record)
        return record.name

    assert await on_fresh_record(broker_server.broker, "news", attempt) == "other"


async def test_who_never_has_it_is_told_to_come_back(broker_server: BrokerServer) -> None:
    await broker_server.create("news")
    tried = []

    async def attempt() -> None:
        tried.append(1)
        raise Stale

    with pytest.raises(Unavailable):
        await on_fresh_record(broker_server.broker, "news", attempt)
    assert len(tried) == DECISIONS
