"""The metrics of `./run serve`: told where no token is needed, begun anew with each start, removed in the end."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.exposition import Exposition
from tests.serve_process import COMMAND, ServeProcess, environment, free_port, refused_start, serving


class Administered:
    """A server with an admin listener."""

    def __init__(self, server: ServeProcess, admin_port: int) -> None:
        self.server = server
        self.admin = f"http://127.0.0.1:{admin_port}"

    def metrics(self) -> Exposition:
        """What Prometheus would get, without a token."""
        with httpx2.Client(trust_env=False) as client:
            return Exposition(client.get(f"{self.admin}/metrics").raise_for_status().text)

    def directories(self) -> list[Path]:
        """The directories of metrics in the data directory."""
        return list(self.server.data.glob("metrics-*"))


@pytest.fixture
def administered(tmp_path: Path) -> Iterator[Administered]:
    """A server of this test's own."""
    admin_port = free_port()
    with serving(tmp_path / "data", {"TIDEMARK_SERVER__ADMIN_LISTEN": f"127.0.0.1:{admin_port}"}) as server:
        yield Administered(server, admin_port)


def test_a_process_tells_what_it_does_and_leaves_nothing_behind(administered: Administered) -> None:
    server = administered.server
    server.create("news")
    server.publish("news", 1, 2)
    found = administered.metrics()
    assert found.value("tidemark_published_events_total") == 2
    assert found.value("tidemark_processes") == 1
    assert found.value("tidemark_process_resident_bytes") > 10_000_000
    assert found.value("tidemark_connections_limit") == 10_000
    assert len(administered.directories()) == 1
    assert server.stop() == 0
    assert administered.directories() == []


def test_a_server_that_was_killed_counts_anew_and_its_files_are_removed(administered: Administered) -> None:
    server = administered.server
    server.create("news")
    server.publish("news", 1, 2)
    server.kill()
    left = administered.directories()
    server.start()
    assert len(left) == 1
    assert len(administered.directories()) == 1
    assert administered.directories() != left
    assert administered.metrics().value("tidemark_published_events_total") == 0


def test_the_healthcheck_of_an_image_finds_the_server_by_its_environment(administered: Administered) -> None:
    environ = environment(TIDEMARK_SERVER__ADMIN_LISTEN=administered.admin.removeprefix("http://"))

    def check() -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*COMMAND, "healthcheck"], env=environ, capture_output=True, text=True)

    assert check().returncode == 0
    administered.server.stop()
    ended = check()
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr


def test_an_admin_port_in_use_is_a_start_that_is_refused_in_one_line(
    administered: Administered, tmp_path: Path
) -> None:
    address = administered.admin.removeprefix("http://")
    status, words = refused_start(tmp_path, "--port", "0", TIDEMARK_SERVER__ADMIN_LISTEN=address)
    assert status == 1
    assert words.startswith(f"Error: Cannot listen on {address}")
