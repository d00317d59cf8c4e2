"""docs/examples.md tells the truth: its commands do what its table says. What each example does, tests/flows knows."""

import re
from pathlib import Path

import pytest

from tests.docs.blocks import Blocks, runs
from tests.docs.shells import session

SERVE = """TIDEMARK_OUTBOUND__ALLOW='["127.0.0.0/8"]' ./run serve"""
OPEN = {"TIDEMARK_OUTBOUND__ALLOW": '["127.0.0.0/8"]'}
HERE = {
    # There is a server with this setting already.
    SERVE: ":",
    "host_metrics.py": "host_metrics.py --count 2 --every 0.1",
    "slot_race.py": "slot_race.py --work-s 0.1",
    "scheduled_call.py": "scheduled_call.py --in-s 1",
    " --token": " --url http://127.0.0.1:8000 --token",
    " --key": " --url http://127.0.0.1:8000 --key",
}


@pytest.mark.timeout(240)
@runs("docs/examples.md", "sh")
def test_its_commands_do_what_it_says(tmp_path: Path, blocks: Blocks) -> None:
    assert blocks[1].text.startswith(SERVE)
    with session(tmp_path, OPEN, here=HERE) as page:
        first, call = page.all(blocks)
    assert len(re.findall(r"agent-\d has the slot", first)) == 3
    assert "a retry of" in call
