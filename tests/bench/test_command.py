"""The command from end to end."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.__main__ import NAMES, main
from bench.native import Tools
from bench.peers import PROGRAMS
from tests.docs.blocks import Blocks, holds, runs


def run_bench(*words: str) -> "subprocess.CompletedProcess[str]":
    """The outcome of the command as a process of its own, as it changes limits of its process."""
    return subprocess.run([sys.executable, "-P", "-m", "bench", *words], capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("checked_tools")
@runs("docs/bench.md", "sh")
def test_a_result_is_printed_and_appended_with_machine_versions_and_size(tmp_path: Path, blocks: Blocks) -> None:
    """The page's second line, shortened."""
    [block] = blocks
    _, _, *measures = block.commands[1]
    assert measures == ["fanout", "latency"]
    output = tmp_path / "results.md"
    output.write_text("# Results\n")
    size = ["--quick", "--seconds", "0.1", "--connections", "10", "--peers", "none"]
    done = run_bench(*measures, *size, "--output", str(output), "--note", "A first try")
    assert done.returncode == 0, done.stderr
    text = output.read_text()
    assert text.startswith("# Results\n\n## A first try\n")
    assert text.endswith(done.stdout)
    for part in ("commit ", "cores, Linux", "load average", "uvicorn ", "1 rounds of 0.1 s, 10 connections"):
        assert part in text, part
    assert "| 1    | CPU per delivery" in text
    assert "- 2b, 4a, 4b: no nchan here" in text


@holds("docs/bench.md", "sh")
def test_every_line_of_the_page_is_understood(blocks: Blocks) -> None:
    for words in (words for block in blocks for words in block.commands):
        assert words[:2] == ["./run", "bench"]
        asked = main.make_context("bench", words[2:]).params
        assert {word.partition("=")[0] for word in asked["named"]} <= set(PROGRAMS)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["speed"], "'speed' is not one of"),
        (["--rounds", "0"], "0 is not in the range"),
        (["--peers", "redis"], "There is no peer 'redis'"),
        (["--peer", "nats=/nowhere"], "--peer nats=/nowhere"),
    ],
)
def test_a_slip_names_itself(checked_tools: Tools, words: list[str], says: str) -> None:
    done = run_bench(*words)
    assert done.returncode != 0
    assert says in done.stderr


def test_help_names_every_measure() -> None:
    answer = CliRunner().invoke(main, ["--help"])
    assert answer.exit_code == 0
    assert "|".join(NAMES) in answer.output.replace("\n", "").replace(" ", "")
