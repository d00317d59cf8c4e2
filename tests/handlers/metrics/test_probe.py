"""An engine that does not answer is seen within a second, and so is its return."""

import os
import signal
from pathlib import Path

from broker.storage.engine import open_engine
from broker.storage.vitals import look
from tests.broker_server import running_broker
from tests.engines import running_engine, tell
from tests.exposition import until


async def test_an_engine_that_stands_still_is_down_until_it_goes_on(tmp_path: Path) -> None:
    impatient = {"engine": {"reply_timeout_s": 0.3, "connect_timeout_s": 0.3}}
    with running_engine(tmp_path / "data") as engine:
        assert engine.pid is not None
        async with running_broker(engine.url, tmp_path / "key.json", impatient) as server:
            await until(lambda now: now.value("tidemark_engine_reply_seconds_count") > 0, server)
            os.kill(engine.pid, signal.SIGSTOP)
            try:
                await until(lambda now: now.value("tidemark_engine_up") == 0, server)
            finally:
                os.kill(engine.pid, signal.SIGCONT)
            await until(lambda now: now.value("tidemark_engine_up") == 1, server)


async def test_what_an_engine_says_of_itself(engine_url: str) -> None:
    engine = await open_engine(engine_url)
    tell(engine_url, "CONFIG SET maxmemory 1gb")
    try:
        vitals = await look(engine)
        assert vitals.persists
        assert vitals.memory_limit_bytes == 1 << 30
        assert vitals.memory_bytes > 100_000
        assert 0 < vitals.reply_s < 5
        assert abs(vitals.clock_ahead_s) <= vitals.reply_s + 0.001
        tell(engine_url, "CONFIG SET appendonly no")
        assert not (await look(engine)).persists
    finally:
        tell(engine_url, "CONFIG SET maxmemory 0")
        tell(engine_url, "CONFIG SET appendonly yes")
        await engine.close()
