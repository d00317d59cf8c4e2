"""A short soak as part of the suite: faults on two brokers and their engine, and nothing that the checker finds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from soak.__main__ import main, parse_faults
from soak.clients.faults import CLIENT_FAULTS
from soak.run import ALL
from tests.docs.blocks import Blocks, holds, runs
from tests.serve_process import environment

FAULTS = ("engine-kill", "broker-kill", "feed-drop", "trim", "reader-storm", "net-hole")


@pytest.mark.timeout(300)
@runs("docs/soak.md#the-soak", "sh")
def test_two_brokers_keep_every_promise_under_faults(tmp_path: Path, blocks: Blocks) -> None:
    """The page's last line, for ten seconds; on failure all that was kept is in the test's folder."""
    [block] = blocks
    *_, kept = block.commands
    assert kept == ["./run", "soak", "--json", "result.json", "--keep", "DIR"]
    output = tmp_path / "result.json"
    seed = os.getpid()
    asked = ["--seconds", "10", "--seed", str(seed), "--faults", ",".join(FAULTS), "--storm", "50"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", *kept[1:], *asked],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"seed {seed}\n{done.stdout}\n{done.stderr}"
    told = json.loads(output.read_text())
    assert not any(told["violations"].values())
    assert told["acknowledged"] > 50 and told["read"] > told["acknowledged"]
    names = [fault["name"] for fault in told["faults"]]
    assert names and set(names) <= set(FAULTS)
    assert (told["declared"] > 0) == ("trim" in names)
    assert (told["dropped"] > 0) == ("feed-drop" in names)
    assert all(f"| {name} " in done.stdout for name in names)


@holds("docs/soak.md", "sh")
def test_every_line_of_the_page_is_understood(blocks: Blocks) -> None:
    for words in (words for block in blocks for words in block.commands):
        assert words[:2] == ["./run", "soak"]
        asked = main.make_context("soak", words[2:]).params
        parse_faults(asked["faults"], tuple(CLIENT_FAULTS) if asked["clients"] else ALL)


def test_a_slip_names_itself() -> None:
    answer = CliRunner().invoke(main, ["--faults", "earthquake"])
    assert answer.exit_code == 2
    assert "There is no fault 'earthquake': give some of broker-kill" in answer.output


def test_help_names_every_fault() -> None:
    answer = CliRunner().invoke(main, ["--help"])
    assert answer.exit_code == 0
    assert all(fault in answer.output.replace("\n", "").replace(" ", "") for fault in ALL)
