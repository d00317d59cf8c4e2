"""Every client under the same script: a proxy that cuts, stalls and loses, and a broker that is killed and drained."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from soak.clients.faults import CLIENT_FAULTS
from soak.clients.run import DRIVERS, READERS
from tests.docs.blocks import Blocks, runs
from tests.serve_process import environment


@pytest.mark.timeout(300)
@runs("docs/soak.md#the-clients", "sh")
def test_every_client_gives_every_event_once_in_order_and_publishes_once(tmp_path: Path, blocks: Blocks) -> None:
    """The page's first line, for ten seconds; on failure all that was kept is in the test's folder."""
    [block] = blocks
    output, seed = tmp_path / "clients.json", os.getpid()
    assert block.commands[0] == ["./run", "soak", "--clients"]
    asked = [
        *block.commands[0][2:],
        "--seconds",
        "10",
        "--seed",
        str(seed),
        "--json",
        str(output),
        "--keep",
        str(tmp_path / "soak"),
    ]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "soak", *asked], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"seed {seed}\n{done.stdout}\n{done.stderr}"
    told = json.loads(output.read_text())
    assert not any(told["violations"].values())
    assert told["faults"] and set(told["faults"]) <= set(CLIENT_FAULTS)
    assert [each["client"] for each in told["clients"]] == list(DRIVERS)
    everything = sum(each["acknowledged"] for each in told["clients"])
    for each in told["clients"]:
        assert each["acknowledged"] > 0 and each["troubles"] > 0
        # All but the filtered one read all, and the last event.
        assert each["read"] >= (len(READERS) - 1) * (everything + 1)
