"""The example of a scheduled call: it comes, not before its time, fails, and comes again as a retry of the first."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serve_process import environment, serving

EXAMPLE = Path(__file__).parents[2] / "examples/scheduled_call.py"
OPEN = {"TIDEMARK_OUTBOUND__ALLOW": '["127.0.0.0/8"]'}


@pytest.mark.timeout(150)
def test_the_call_comes_when_it_is_due_and_again_after_it_failed(tmp_path: Path) -> None:
    with serving(tmp_path / "data", OPEN) as server:
        key = server.run("key", "--data", str(server.data), "--tenant", "acme", "--scope", "cuey").stdout.strip()
        words = [sys.executable, str(EXAMPLE), "--url", server.url, "--key", key, "--in-s", "1"]
        done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    scheduled, first, second = done.stdout.splitlines()
    event_id = scheduled.split()[0]
    late_ms = [int(re.findall(r"(-?\d+) ms after that", line)[0]) for line in (first, second)]
    assert late_ms[0] >= 0 and late_ms[1] >= late_ms[0] + 499
    assert "retry" not in first and second.endswith(f"a retry of {event_id}") and "{'invoice': 7}" in second
