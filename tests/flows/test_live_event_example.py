"""The example of a live event: a viewer sees each state in turn, with its time, and in the end there is a recording."""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from bench.processes import free_port
from examples import live_event
from tests.serve_process import environment, serving

SECRET = "a-secret-of-the-media-server"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.mark.timeout(300)
def test_a_viewer_sees_the_event_from_before_its_start_to_its_replay(tmp_path: Path) -> None:
    if live_event.nginx_path() is None or shutil.which("ffmpeg") is None:
        pytest.skip("no nginx with RTMP or no ffmpeg: apt-get install nginx libnginx-mod-rtmp ffmpeg")
    with serving(tmp_path / "data", {"TIDEMARK_LIVE__INGEST_SECRET": SECRET}) as server:
        key = server.run("key", "--data", str(server.data), "--tenant", "acme", "--scope", "live").stdout.strip()
        words = [sys.executable, str(live_event.__file__), "--url", server.url, "--key", key, "--secret", SECRET]
        words += ["--rtmp-port", str(free_port()), "--live-s", "1"]
        status, said, errors = done(words)
    assert status == 0, errors
    *states, recording, file = said.splitlines()
    assert all(TIME.fullmatch(line.split()[0]) for line in states)
    assert [line.split()[1] for line in states] == ["not_started", "live", "processing_replay", "replay_available"]
    assert states[0].endswith("/watch/town-hall") and recording == "recording finalised"
    assert int(re.findall(r"(\d+) bytes", file)[0]) > 1_000


def done(words: list[str]) -> tuple[int, str, str]:
    """The status and the output of a program; nothing that it started is left."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(words, env=environment(), stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    try:
        said, errors = process.communicate(timeout=270)
        return process.returncode, said, errors
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
