"""The embedded engine, with real servers: started, found, killed, restarted, and never two on the same data."""

import asyncio
import logging
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from broker.storage.embedded import EmbeddedEngine, EngineFailed
from broker.storage.engine_files import DataInUse, EngineFault, NotRunning, attach_url
from tests.engines import tell, wait_for_end

PARENT = """
import sys, time
from broker.storage.embedded import EmbeddedEngine
engine = EmbeddedEngine(sys.argv[1], binary=sys.argv[2])
engine.start()
print(engine.pid, flush=True)
time.sleep(60)
"""


@contextmanager
def broker_process(data: Path, binary: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Another process that keeps an engine, and the engine's pid."""
    words = [sys.executable, "-c", PARENT, str(data), binary]
    root = Path(__file__).parents[2]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def test_it_answers_on_a_private_unix_socket_and_on_no_port(tmp_path: Path, binary: str) -> None:
    with EmbeddedEngine(tmp_path, binary=binary) as engine:
        assert tell(engine.url, "PING") == b"+PONG\r\n"
        assert stat.S_IMODE((tmp_path / "engine.sock").stat().st_mode) == 0o700
        assert b"\r\n0\r\n" in tell(engine.url, "CONFIG GET port")


def test_it_never_evicts_and_writes_a_log_that_only_its_owner_reads(tmp_path: Path, binary: str) -> None:
    with EmbeddedEngine(tmp_path, binary=binary) as engine:
        assert b"noeviction" in tell(engine.url, "CONFIG GET maxmemory-policy")
        assert b"everysec" in tell(engine.url, "CONFIG GET appendfsync")
        files = list((tmp_path / "appendonlydir").iterdir())
    assert files and all(not path.stat().st_mode & 0o077 for path in files)


def test_it_syncs_as_often_as_it_is_told(tmp_path: Path, binary: str) -> None:
    with EmbeddedEngine(tmp_path, binary=binary, fsync="always") as engine:
        assert b"always" in tell(engine.url, "CONFIG GET appendfsync")


def test_the_data_directory_is_made_for_its_owner_only(tmp_path: Path, binary: str) -> None:
    with EmbeddedEngine(tmp_path / "new" / "data", binary=binary) as engine:
        assert stat.S_IMODE(engine.data.stat().st_mode) == 0o700


def test_data_outlives_a_stop(tmp_path: Path, binary: str) -> None:
    with EmbeddedEngine(tmp_path, binary=binary) as engine:
        tell(engine.url, "SET kept 1")
        pid = engine.pid
    wait_for_end(pid or 0)
    with EmbeddedEngine(tmp_path, binary=binary) as engine:
        assert tell(engine.url, "GET kept") == b"$1\r\n1\r\n"


def test_an_engine_that_is_killed_comes_back_with_its_data_at_the_same_url(
    tmp_path: Path, binary: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def kill_and_await(engine: EmbeddedEngine) -> None:
        watching = asyncio.create_task(engine.watch())
        old = engine.pid
        assert old is not None
        os.kill(old, signal.SIGKILL)
        async with asyncio.timeout(5):
            while "runs again" not in caplog.text:
                await asyncio.sleep(0.02)
        watching.cancel()
        assert engine.pid != old

    with caplog.at_level(logging.WARNING), EmbeddedEngine(tmp_path, binary=binary) as engine:
        url = engine.url
        tell(url, "SET kept 1")
        asyncio.run(kill_and_await(engine))
        assert tell(url, "GET kept") == b"$1\r\n1\r\n"
    assert "ended with status -9" in caplog.text


def test_watch_returns_when_the_engine_is_stopped_on_purpose(tmp_path: Path, binary: str) -> None:
    async def stop_under_watch(engine: EmbeddedEngine) -> None:
        watching = asyncio.create_task(engine.watch())
        await asyncio.sleep(0)
        engine.stop()
        await asyncio.wait_for(watching, 5)

    with EmbeddedEngine(tmp_path, binary=binary) as engine:
        asyncio.run(stop_under_watch(engine))
        assert engine.pid is None


def test_the_engine_dies_with_a_killed_broker_and_its_data_is_kept(tmp_path: Path, binary: str) -> None:
    with broker_process(tmp_path, binary) as (process, engine_pid):
        tell(attach_url(tmp_path), "SET kept 1")
        process.kill()
        wait_for_end(engine_pid)
    with EmbeddedEngine(tmp_path, binary=binary) as engine:
        assert tell(engine.url, "GET kept") == b"$1\r\n1\r\n"


def test_a_start_waits_until_the_old_engine_is_gone(tmp_path: Path, binary: str) -> None:
    with broker_process(tmp_path, binary) as (process, engine_pid):
        tell(attach_url(tmp_path), "SET kept 1")
        os.kill(engine_pid, signal.SIGSTOP)
        process.kill()
        process.wait()
        threading.Timer(0.3, os.kill, (engine_pid, signal.SIGCONT)).start()
        with EmbeddedEngine(tmp_path, binary=binary) as engine:
            wait_for_end(engine_pid, timeout_s=0)
            assert tell(engine.url, "GET kept") == b"$1\r\n1\r\n"


def test_a_second_broker_on_the_same_data_is_refused_by_the_pid_of_the_first(tmp_path: Path, binary: str) -> None:
    with broker_process(tmp_path, binary) as (process, _):
        with pytest.raises(DataInUse, match=rf"pid {process.pid}\) serves {tmp_path}"):
            EmbeddedEngine(tmp_path, binary=binary).start()
        assert tell(attach_url(tmp_path), "PING") == b"+PONG\r\n"


def test_a_data_directory_with_a_long_and_odd_path_works_and_is_found(tmp_path: Path, binary: str) -> None:
    data = tmp_path / ("long" * 40) / "a b#é?%"
    with EmbeddedEngine(data, binary=binary) as engine:
        tell(engine.url, "SET kept 1")
        assert attach_url(data) == engine.url
        directory = Path((data / "engine.path").read_text()).parent
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert not directory.exists()
    with EmbeddedEngine(data, binary=binary) as engine:
        assert tell(engine.url, "GET kept") == b"$1\r\n1\r\n"


def test_nothing_is_found_where_no_broker_runs(tmp_path: Path, binary: str) -> None:
    with pytest.raises(NotRunning, match=r"\./run serve --data"):
        attach_url(tmp_path)
    with EmbeddedEngine(tmp_path, binary=binary):
        pass
    with pytest.raises(NotRunning):
        attach_url(tmp_path)


def test_a_log_cut_short_by_a_crash_is_loaded_up_to_there(tmp_path: Path, binary: str) -> None:
    with EmbeddedEngine(tmp_path, binary=binary) as engine:
        tell(engine.url, "SET kept 1")
    [log] = (tmp_path / "appendonlydir").glob("*.incr.aof")
    with log.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nlo")
    with EmbeddedEngine(tmp_path, binary=binary) as engine:
        assert tell(engine.url, "GET kept") == b"$1\r\n1\r\n"


def test_a_ruined_log_is_refused_with_what_the_engine_says_of_it(tmp_path: Path, binary: str) -> None:
    with EmbeddedEngine(tmp_path, binary=binary) as engine:
        tell(engine.url, "SET kept 1")
    [log] = (tmp_path / "appendonlydir").glob("*.incr.aof")
    log.write_bytes(b"garbage\r\n" + log.read_bytes())
    with pytest.raises(EngineFailed, match=r"(?s)engine\.log ends with:.*Bad file format"):
        EmbeddedEngine(tmp_path, binary=binary).start()


def test_a_failed_start_gives_the_directory_back(tmp_path: Path, binary: str) -> None:
    (tmp_path / "appendonlydir").mkdir()
    (tmp_path / "appendonlydir" / "appendonly.aof.manifest").write_text("garbage\n")
    with pytest.raises(EngineFailed):
        EmbeddedEngine(tmp_path, binary=binary).start()
    (tmp_path / "appendonlydir" / "appendonly.aof.manifest").unlink()
    with EmbeddedEngine(tmp_path, binary=binary) as engine:
        assert tell(engine.url, "PING") == b"+PONG\r\n"


def test_a_data_directory_that_cannot_be_written_is_refused_by_name(tmp_path: Path, binary: str) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(EngineFault, match=f"Cannot write to the data directory {tmp_path}"):
        EmbeddedEngine(tmp_path, binary=binary).start()
    (tmp_path / "file").touch()
    with pytest.raises(EngineFault, match="Cannot use"):
        EmbeddedEngine(tmp_path / "file", binary=binary)


def test_a_start_from_another_thread_is_refused(tmp_path: Path, binary: str) -> None:
    faults: list[BaseException] = []

    def start() -> None:
        try:
            EmbeddedEngine(tmp_path, binary=binary).start()
        except RuntimeError as error:
            faults.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(faults[0])


def test_ctrl_c_in_a_terminal_does_not_reach_the_engine(tmp_path: Path, binary: str) -> None:
    with EmbeddedEngine(tmp_path, binary=binary) as engine:
        assert os.getpgid(engine.pid or 0) != os.getpgid(0)
