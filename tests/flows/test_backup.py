"""The steps of `docs/operations.md` for a copy of the data, done on a real server, and a start from the copy."""

import shutil
import threading
from pathlib import Path

import pytest

from tests.docs.blocks import Block, Blocks, runs
from tests.docs.shells import shell, until
from tests.programs import program
from tests.serve_process import ServeProcess, free_port, serving


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """An empty directory for the copy."""
    directory = tmp_path / "backup" / "data"
    directory.mkdir(parents=True)
    return directory


def copy_while_running(server: ServeProcess, steps: Block, target: Path) -> None:
    """The documented steps for an embedded engine."""
    program("redis-cli")
    with shell(server.data.parent, server.port, {"/backup/": f"{target}/"}) as bash:
        assert bash.type(steps.text).read_text() == "OK\nOK\n"


def test_a_copy_of_a_stopped_server_is_the_server(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        server.create("news", is_public=False)
        start = server.tip("news")
        ids = server.publish("news", *range(10))
        token = server.token("sub:news")
        server.stop()
        shutil.copytree(server.data, tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock", "lock"))
    with serving(tmp_path / "copy") as again:
        assert [event["id"] for event in again.events("news", start)] == ids
        answer = again.ask("GET", "/channels/news/events", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200


@runs("docs/operations.md#backup", "sh")
def test_a_copy_made_under_load_has_all_that_was_acknowledged_before_it(
    tmp_path: Path, backup: Path, blocks: Blocks
) -> None:
    steps, restore = blocks
    stop = threading.Event()
    with serving(tmp_path / "data") as server, server.client() as publisher:
        server.create("news")
        start = server.tip("news")

        def publish_on() -> None:
            while not stop.is_set():
                publisher.post("/channels/news/events", json={"data": "meanwhile"}).raise_for_status()

        before = server.publish("news", *range(50))
        load = threading.Thread(target=publish_on)
        load.start()
        try:
            copy_while_running(server, steps, backup)
        finally:
            stop.set()
            load.join()
        last = server.publish("news", "after the copy")[0]
        everything = [event["id"] for event in server.events("news", start)]
    # As the second block says, into an empty directory.
    port = free_port()
    again = ServeProcess(tmp_path / "again/restored", port, {})
    again.data.parent.mkdir()
    with shell(again.data.parent, port, {"/backup/": f"{backup}/"}) as bash:
        log = bash.type(restore.text, goes_on=True)
        until(again.is_ready, log.read_text)
        found = [event["id"] for event in again.events("news", start)]
        assert found[: len(before)] == before
        assert found == everything[: len(found)]
        assert last not in found
        gone = again.ask("GET", f"/channels/news/events?cursor={last}").json()
        assert gone["complete"] is False
