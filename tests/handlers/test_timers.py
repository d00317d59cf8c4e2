"""Timers and the test clock as operators see them, over HTTP and on the command line."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from broker.change import Change
from broker.config_sources import load_settings
from broker.ids import render_time
from broker.storage.embedded import EmbeddedEngine
from broker.storage.engine import EngineUnfit
from broker.timers import Pending, Timer, TimerName
from handlers.__main__ import main
from handlers.app import open_fit_engine
from handlers.commands.timers import line_of
from tests.broker_server import BrokerServer, running_broker

HOUR_MS = 3_600_000


@pytest.fixture
async def real(engine_url: str, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    """A broker with the real clock."""
    async with running_broker(engine_url, tmp_path / "signing_key.json") as server:
        yield server


async def arm(server: BrokerServer, subject: str, due_ms: int) -> None:
    timer = Timer(TimerName("tick", "acme", subject), due_ms)
    await server.broker.commits.execute("acme", [], lambda _: Change(timers=(timer,)))


async def test_timers_are_shown_by_when_they_fire(broker_server: BrokerServer) -> None:
    now = await broker_server.broker.engine.now_ms()
    for subject, hours in (("b", 2), ("a", 1), ("c", 3)):
        await arm(broker_server, subject, now + hours * HOUR_MS)
    answer = await broker_server.http.get("/admin/timers?limit=2", headers=broker_server.bearer("admin"))
    shown = answer.json()
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert shown["total"] == 3 and shown["now"] >= render_time(now)
    assert [(each["subject"], each["due_at"]) for each in shown["timers"]] == [
        ("a", render_time(now + HOUR_MS)),
        ("b", render_time(now + 2 * HOUR_MS)),
    ]
    first = {"kind": "tick", "owner": "acme", "subject": "a", "claimed": False, "tries": 0}
    assert shown["timers"][0] == first | {"due_at": render_time(now + HOUR_MS)}
    assert (
        await broker_server.http.get("/admin/timers?limit=0", headers=broker_server.bearer("admin"))
    ).status_code == 400


async def test_the_clock_moves_ids_and_times_forward(broker_server: BrokerServer) -> None:
    await broker_server.create("news")
    [before] = await broker_server.publish("news", 1)
    admin = broker_server.bearer("admin")
    answer = await broker_server.http.post("/admin/clock", json={"advance_ms": HOUR_MS}, headers=admin)
    assert answer.status_code == 200 and answer.json()["offset_ms"] == HOUR_MS
    [after] = await broker_server.publish("news", 2)
    assert after["id"] > before["id"] and after["created_at"] >= answer.json()["now"]
    again = await broker_server.http.post("/admin/clock", json={"advance_ms": 1}, headers=admin)
    assert again.json()["offset_ms"] == HOUR_MS + 1


@pytest.mark.parametrize("body", [{}, [], {"advance_ms": -1}, {"advance_ms": 1.5}, {"advance_ms": True}, None, "x"])
async def test_a_clock_is_not_moved_by_nonsense(broker_server: BrokerServer, body: object) -> None:
    answer = await broker_server.http.post("/admin/clock", json=body, headers=broker_server.bearer("admin"))
    assert answer.status_code == 400
    assert broker_server.broker.engine.clock_offset_ms == 0


async def test_all_steps_together_are_bounded(broker_server: BrokerServer) -> None:
    century = {"advance_ms": 100 * 365 * 24 * HOUR_MS}
    admin = broker_server.bearer("admin")
    assert (await broker_server.http.post("/admin/clock", json=century, headers=admin)).status_code == 200
    assert (await broker_server.http.post("/admin/clock", json={"advance_ms": 1}, headers=admin)).status_code == 400


async def test_the_real_clock_is_not_moved(real: BrokerServer) -> None:
    answer = await real.http.post("/admin/clock", json={"advance_ms": 5}, headers=real.bearer("admin"))
    assert answer.status_code == 409
    assert real.broker.engine.clock_offset_ms == 0


async def test_data_of_a_test_clock_is_not_served_with_the_real_one(
    broker_server: BrokerServer, engine_url: str
) -> None:
    await broker_server.broker.clock.advance(5)
    with pytest.raises(EngineUnfit, match="test clock"):
        await open_fit_engine(load_settings(None, {}), broker_server.signing_key, engine_url)


async def test_a_test_clock_needs_the_embedded_engine(real: BrokerServer, engine_url: str) -> None:
    settings = load_settings(None, {}, {"clock": {"mode": "test"}, "engine": {"url": engine_url}})
    with pytest.raises(EngineUnfit, match="embedded"):
        await open_fit_engine(settings, real.signing_key, engine_url)


async def test_the_command_shows_them_without_a_token(
    broker_server: BrokerServer, shared_engine: EmbeddedEngine
) -> None:
    now = await broker_server.broker.engine.now_ms()
    await arm(broker_server, "a", now + HOUR_MS)
    await arm(broker_server, "b", now + 2 * HOUR_MS)
    words = ["timers", "--data", str(shared_engine.data), "--limit", "1"]
    result = await asyncio.to_thread(CliRunner().invoke, main, words)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{render_time(now + HOUR_MS)}  tick  acme  a\n"
    assert result.stderr == "1 more\n"


def test_a_timer_that_is_being_done_says_so() -> None:
    pending = Pending(Timer(TimerName("tick", "acme", "a"), 0), True, 2)
    assert line_of(pending) == "1970-01-01T00:00:00.000Z  tick  acme  a  being done, try 3"


def test_without_a_server_the_command_says_how_to_start_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["timers", "--data", str(tmp_path)])
    assert result.exit_code == 1 and "./run serve" in result.output
