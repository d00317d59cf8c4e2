"""The programs in C: as they are used, and with every check that the compiler can build in."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.cores import choose_cores
from bench.load import Load, run_load
from bench.native import FLAGS, NoTools, Tools, compiled_tools
from bench.peers import parse_peers
from bench.report import Report
from bench.stage import Scale, Stage
from bench.target import Target
from bench.targets.tidemark import mint_token
from tests.bench.load_servers import Run

CHECKED = (*FLAGS, "-Werror", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
TINY = Scale(
    rounds=1,
    seconds=0.1,
    warm_s=0.05,
    settle_s=5.0,
    connections=10,
    many=20,
    idle_s=0.1,
    replayed=500,
    stall_s=0.3,
    stall_events_per_s=500,
    history=200,
)


def compiled(flags: tuple[str, ...]) -> Tools:
    """The programs; skips the test where there is no compiler."""
    try:
        return compiled_tools(flags=flags)
    except NoTools as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def checked_tools() -> Tools:
    """The programs with warnings as errors, and with the sanitizers for addresses and undefined behaviour."""
    return compiled(CHECKED)


@pytest.fixture
def run(checked_tools: Tools) -> Run:
    """Run the load client without blocking the loop that serves it."""

    async def run_it(target: Target, load: Load) -> Report:
        return await asyncio.to_thread(run_load, checked_tools.load_client, 0, target, load)

    return run_it


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A benchmark of the smallest size, with the peers of the goals that this machine has."""
    tools = compiled(FLAGS)
    work = tmp_path_factory.mktemp("bench")
    allowed = os.sched_getaffinity(0)
    key_file = work / "key" / "signing_key.json"
    token = mint_token(key_file)
    yield Stage(tools, choose_cores(), TINY, parse_peers("found", {}), Path(work), key_file, token)
    assert os.sched_getaffinity(0) == allowed, "the benchmark pins its children, not itself"
