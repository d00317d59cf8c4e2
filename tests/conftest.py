"""What all tests share: an engine, the blocks of pages, a run that may skip nothing (the gate), and how many run."""

import os
from collections.abc import AsyncIterator, Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from broker.storage.embedded import EmbeddedEngine
from tests.docs.blocks import Blocks, wanted_by
from tests.engines import empty, running_engine
from tests.stores import Store, open_store

# A machine that is busy with other things is no failure.
settings.register_profile("tidemark", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tidemark")


@pytest.fixture(scope="session")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    """One engine for all tests of this process."""
    with running_engine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@pytest.fixture
def engine_url(shared_engine: EmbeddedEngine) -> str:
    """The URL of an engine that holds nothing."""
    empty(shared_engine.url)
    return shared_engine.url


@pytest.fixture
async def store(engine_url: str) -> AsyncIterator[Store]:
    """The storage of a process on an engine that holds nothing."""
    async with open_store(engine_url) as opened:
        yield opened


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fail-on-skip", action="store_true", help="fail when any test was skipped")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A skipped test proves nothing, so the gate does not accept one."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and session.config.getoption("fail_on_skip") and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def blocks(request: pytest.FixtureRequest) -> Blocks:
    """The blocks of pages that the test's decorators name (`tests/docs/blocks.py`)."""
    return wanted_by(request.node)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A test that says that it runs a page's blocks has to take each of them."""
    outcome = yield
    taken = pyfuncitem.funcargs.get("blocks")
    assert not isinstance(taken, Blocks) or not taken.left, f"not taken: {', '.join(map(str, taken.left))}"
    return outcome


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Three for each two cores: tests wait for processes and deadlines (cores were idle for a quarter of a run)."""
    return -(-3 * len(os.sched_getaffinity(0)) // 2)
