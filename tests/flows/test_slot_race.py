"""The example of agents that compete for a slot: each gets it, never two at once, and nobody polls."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serve_process import environment, serving

EXAMPLE = Path(__file__).parents[2] / "examples/slot_race.py"


@pytest.mark.timeout(150)
def test_each_agent_has_the_slot_once_and_never_two_at_a_time(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        key = server.run("key", "--data", str(server.data), "--tenant", "acme", "--scope", "calendar").stdout.strip()
        words = [sys.executable, str(EXAMPLE), "--url", server.url, "--key", key, "--agents", "4", "--work-s", "0.1"]
        done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    turns = [re.fullmatch(r"(agent-\d) has the slot", line) for line in lines[::2]]
    assert [match and match[1] for match in turns] == [line.removesuffix(" lets go") for line in lines[1::2]]
    assert sorted(match[1] for match in turns if match) == [f"agent-{number}" for number in range(1, 5)]
