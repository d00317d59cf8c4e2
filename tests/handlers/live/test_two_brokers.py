"""Two processes on one engine: what one of them remembers of a slug that has become another tenant's."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.broker_server import BrokerServer, running_broker
from tests.handlers.live.calls import PREFIX, Organiser, checked, organiser_of
from tests.handlers.live.conftest import SETTINGS


@pytest.fixture
async def other(engine_url: str, server: BrokerServer, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    """A second process beside `server`."""
    async with running_broker(engine_url, tmp_path / "signing_key.json", SETTINGS) as running:
        yield running


async def apart(server: BrokerServer) -> tuple[Organiser, Organiser]:
    """Two tenants that live in different partitions."""
    engine = server.broker.engine
    names = [f"tenant-{number}" for number in range(50)]
    far = next(name for name in names if engine.partition(name) != engine.partition("acme"))
    return await organiser_of(server), await organiser_of(server, far)


async def test_a_slug_that_became_another_tenants_is_found_where_it_lives_now(
    server: BrokerServer, other: BrokerServer
) -> None:
    acme, rival = await apart(server)
    made = await acme.create(slug="launch")
    assert (await other.http.get(f"{PREFIX}/watch/launch")).json()["name"] == "Town hall"
    await acme.good("DELETE", f"events/{made['event_id']}")
    theirs = await rival.create(slug="launch", name="Theirs")
    there = Organiser(other, rival.tenant, rival.key)
    # The other process still has the record of the first channel.
    await there.to(theirs, "live/start")
    assert (await there.sees("launch"))["name"] == "Theirs"
    assert (await there.media("publish", theirs["stream_key"])).status_code == 302


async def test_a_watch_answer_follows_the_slug_to_its_new_home(server: BrokerServer, other: BrokerServer) -> None:
    acme, rival = await apart(server)
    made = await acme.create(slug="launch")
    there = Organiser(other, rival.tenant, rival.key)
    await there.sees("launch")
    await acme.good("DELETE", f"events/{made['event_id']}")
    await rival.create(slug="launch", name="Theirs")
    answer = await there.watch("launch")
    cursor = answer.headers["Tidemark-Cursor"]
    assert answer.json()["name"] == "Theirs"
    page = await other.http.get(f"/api/v1/channels/live-watch-launch/events?cursor={cursor}")
    assert page.status_code == 200 and page.json()["events"] == []


async def test_failures_are_counted_by_all_processes_together(server: BrokerServer, other: BrokerServer) -> None:
    acme = await organiser_of(server)
    made = await acme.create(visibility_mode="token")
    there = Organiser(other, acme.tenant, acme.key)
    for number in range(10):
        caller = (acme, there)[number % 2]
        checked(await caller.verify(made["slug"], "token", "wt_x", X_Forwarded_For="198.51.100.7"), 403)
    for caller in (acme, there):
        checked(await caller.verify(made["slug"], "token", "wt_x", X_Forwarded_For="198.51.100.7"), 429)
    checked(await there.verify(made["slug"], "token", "wt_x", X_Forwarded_For="198.51.100.8"), 403)
