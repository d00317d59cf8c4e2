"""The steps of `docs/operations.md` for a copy of the data, done on a real server, and a start from the copy."""

import shutil
import threading
import time
from pathlib import Path

import pytest
from redis import Redis

from tests.serve_process import ServeProcess, serving

FILES = ("appendonlydir", "engine.json", "signing_key.json")


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """An empty directory for the copy."""
    directory = tmp_path / "backup" / "data"
    directory.mkdir(parents=True)
    return directory


def copy_while_running(server: ServeProcess, target: Path) -> None:
    """The documented steps for an embedded engine."""
    with Redis(unix_socket_path=str(server.data / "engine.sock")) as engine:
        engine.config_set("auto-aof-rewrite-percentage", 0)
        while engine.info("persistence")["aof_rewrite_in_progress"]:
            time.sleep(0.01)
        for name in FILES:
            source = server.data / name
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, target / name)
        engine.config_set("auto-aof-rewrite-percentage", 100)


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


def test_a_copy_made_under_load_has_all_that_was_acknowledged_before_it(tmp_path: Path, backup: Path) -> None:
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
            copy_while_running(server, backup)
        finally:
            stop.set()
            load.join()
        last = server.publish("news", "after the copy")[0]
        everything = [event["id"] for event in server.events("news", start)]
    with serving(backup) as again:
        found = [event["id"] for event in again.events("news", start)]
        assert found[: len(before)] == before
        assert found == everything[: len(found)]
        assert last not in found
        gone = again.ask("GET", f"/channels/news/events?cursor={last}").json()
        assert gone["complete"] is False
