"""The files that processes share: sums, and what is left of a process that is gone."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from broker.counts import Histogram
from broker.storage.scripts import all_scripts
from handlers.metrics.catalogue import (
    CONNECTIONS_OPEN,
    CPU_BUSIEST,
    DELIVERIES,
    ENGINE_UP,
    REQUEST_SECONDS,
    REQUESTS,
    SCRIPT_SECONDS,
)
from handlers.metrics.exposition import expose
from handlers.metrics.ledger import Ledger
from handlers.metrics.requests import METHODS
from handlers.openapi import MEANING
from handlers.routes import all_operations
from tests.exposition import Exposition

STATUSES = [str(status) for status in (101, 200, 201, 202, 204, 304, *MEANING)]
WRITER = """
import sys, time
from pathlib import Path
from handlers.metrics.catalogue import CONNECTIONS_OPEN, DELIVERIES
from handlers.metrics.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
ledger.write(DELIVERIES, (), 40)
ledger.write(CONNECTIONS_OPEN, (), 7)
print("written", flush=True)
time.sleep(60)
"""


Open = Callable[[], Ledger]


@pytest.fixture
def open_ledger(tmp_path: Path) -> Iterator[Open]:
    """Ledgers of one directory, each as if of a process of its own."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Ledger(tmp_path)))


def read(directory: Path) -> Exposition:
    return Exposition(expose(directory).decode())


def test_counters_and_histograms_of_processes_are_added_up(tmp_path: Path, open_ledger: Open) -> None:
    one, other = open_ledger(), open_ledger()
    for ledger, seconds in ((one, 0.003), (other, 0.2)):
        histogram = Histogram()
        histogram.observe(seconds)
        ledger.write(DELIVERIES, (), 20)
        ledger.write(REQUEST_SECONDS, ("/x",), histogram)
    found = read(tmp_path)
    assert found.value("tidemark_deliveries_total") == 40
    assert found.value("tidemark_http_request_seconds_count", route="/x") == 2
    assert found.value("tidemark_http_request_seconds_bucket", route="/x", le="0.005") == 1
    assert found.value("tidemark_http_request_seconds_sum", route="/x") == 0.203


def test_gauges_are_added_up_or_the_highest_or_the_lowest_as_the_catalogue_says(
    tmp_path: Path, open_ledger: Open
) -> None:
    for numbers in ((3, 0.2, 1), (4, 0.9, 0)):
        ledger = open_ledger()
        for metric, number in zip((CONNECTIONS_OPEN, CPU_BUSIEST, ENGINE_UP), numbers, strict=True):
            ledger.write(metric, (), number)
    found = read(tmp_path)
    assert found.value("tidemark_connections_open") == 7
    assert found.value("tidemark_process_cpu_busiest_ratio") == 0.9
    assert found.value("tidemark_engine_up") == 0


def test_what_is_written_last_counts(tmp_path: Path, open_ledger: Open) -> None:
    ledger = open_ledger()
    for value in (5, 6, 6, 2):
        ledger.write(CONNECTIONS_OPEN, (), value)
    assert read(tmp_path).value("tidemark_connections_open") == 2


def test_a_process_that_ended_leaves_its_counters_and_not_its_gauges(tmp_path: Path, open_ledger: Open) -> None:
    ended, living = open_ledger(), open_ledger()
    for ledger in (ended, living):
        ledger.write(DELIVERIES, (), 10)
        ledger.write(CONNECTIONS_OPEN, (), 1)
    ended.close()
    found = read(tmp_path)
    assert found.value("tidemark_deliveries_total") == 20
    assert found.value("tidemark_connections_open") == 1


def test_a_process_that_was_killed_leaves_its_counters_and_not_its_gauges(tmp_path: Path, open_ledger: Open) -> None:
    open_ledger().write(CONNECTIONS_OPEN, (), 1)
    words = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "written\n"
        assert read(tmp_path).value("tidemark_connections_open") == 8
        other.send_signal(signal.SIGKILL)
    found = read(tmp_path)
    assert found.value("tidemark_connections_open") == 1
    assert found.value("tidemark_deliveries_total") == 40


def test_all_that_a_server_can_count_fits_in_what_is_reserved(tmp_path: Path, open_ledger: Open) -> None:
    """A file that grows would be sparse, and a write to it on a full disk the end of the process."""
    ledger = open_ledger()
    reserved = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    routes = {operation.path for operation in all_operations()} | {"none", "/static", "/api/v1/ws"}
    for route in routes:
        ledger.write(REQUEST_SECONDS, (route,), Histogram())
    for operation in all_operations():
        for status in STATUSES:
            ledger.write(REQUESTS, (operation.method, operation.path, status), 1)
    for method in METHODS:
        for status in STATUSES:
            ledger.write(REQUESTS, (method, "none", status), 1)
    for script in all_scripts():
        ledger.write(SCRIPT_SECONDS, (script.name,), script.times)
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert len(content) == reserved[path.name]
        assert len(content.rstrip(b"\0")) < 0.7 * len(content)
