"""`./run channels`: list, show, create, delete, each with the right that it needs and no more."""

import json
import secrets
from typing import Any

import pytest

from tests.serve_process import ServeProcess


@pytest.fixture
def name() -> str:
    return f"channels-{secrets.token_hex(6)}"


def test_a_channel_is_created_private_and_its_token_publishes_and_reads(shared_server: ServeProcess, name: str) -> None:
    done = shared_server.run("channels", "create", name, "--data", "data", "--description", "For the test")
    token = done.stdout.strip()
    assert done.returncode == 0 and name in done.stderr
    shown = shared_server.ask("GET", f"/channels/{name}").json()
    assert (shown["is_public"], shown["name"], shown["description"]) == (False, name, "For the test")
    published = shared_server.run("publish", name, "1", "--token", token).stdout.strip()
    read = shared_server.run("channels", "show", name, "--token", token)
    assert json.loads(read.stdout)["last_event_id"] == published


def test_what_is_there_is_not_created_again(shared_server: ServeProcess, name: str) -> None:
    assert shared_server.run("channels", "create", name, "--public", "--data", "data").returncode == 0
    again = shared_server.run("channels", "create", name, "--data", "data")
    assert (again.returncode, again.stdout, again.stderr) == (1, "", "Error: Channel already exists (409)\n")


def test_strangers_list_what_is_public_and_owners_all(shared_server: ServeProcess, name: str) -> None:
    shared_server.create(name)
    shared_server.create(f"{name}-secret", is_public=False)
    public = [line.split()[0] for line in shared_server.run("channels").stdout.splitlines()]
    told = shared_server.run("channels", "list", "--data", "data", "--json").stdout.splitlines()
    every = {channel["id"]: channel["created_at"] for channel in map(json.loads, told)}
    assert name in public and f"{name}-secret" not in public
    assert {name, f"{name}-secret"} <= every.keys()
    assert list(every.values()) == sorted(every.values(), reverse=True), "newest first"


def test_json_is_one_channel_a_line(shared_server: ServeProcess, name: str) -> None:
    shared_server.create(name)
    lines = map(json.loads, shared_server.run("channels", "list", "--json").stdout.splitlines())
    assert name in {channel["id"] for channel in lines}


def test_every_command_prints_json_where_it_is_asked_for(shared_server: ServeProcess, name: str) -> None:
    def told(*words: str) -> Any:
        done = shared_server.run(*words, "--json", "--data", "data")
        assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
        return json.loads(done.stdout)

    made = told("channels", "create", name)
    assert made["id"] == name and made["token"].startswith("eyJ")
    event = told("publish", name, "[1]", "--type", "t")
    assert (event["channel_id"], event["type"], event["data"]) == (name, "t", [1])
    assert told("channels", "show", name)["last_event_id"] == event["id"]
    assert told("channels", "delete", name, "--yes") == {"id": name, "deleted": True}


def test_a_list_of_more_than_a_page_is_whole(server: ServeProcess) -> None:
    ids = [f"c-{i:03d}" for i in range(520)]
    with server.client() as http:
        for channel_id in ids:
            assert http.post("/channels", json={"id": channel_id, "name": channel_id}).status_code == 201
    listed = [line.split()[0] for line in server.run("channels", "list", "--data", "data").stdout.splitlines()]
    # Those of one millisecond have another order among themselves.
    assert sorted(listed) == ids


def test_a_channel_is_deleted_when_that_was_confirmed(shared_server: ServeProcess, name: str) -> None:
    shared_server.create(name)
    refused = shared_server.run("channels", "delete", name, "--data", "data")
    assert refused.returncode == 1 and "Delete" in refused.stderr
    assert shared_server.ask("GET", f"/channels/{name}").status_code == 200
    assert shared_server.run("channels", "delete", name, "--data", "data", "--yes").returncode == 0
    again = shared_server.run("channels", "delete", name, "--data", "data", "--yes")
    assert (again.returncode, again.stderr) == (1, "Error: Channel not found (404)\n")


@pytest.mark.parametrize("words", [["create", "x-y"], ["delete", "x-y", "--yes"], ["show", "none"]])
def test_without_a_right_it_says_so(shared_server: ServeProcess, words: list[str]) -> None:
    done = shared_server.run("channels", *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1


def test_a_damaged_key_signs_nothing(shared_server: ServeProcess, name: str) -> None:
    other = shared_server.data.parent / "other"
    other.mkdir(exist_ok=True)
    (other / "signing_key.json").write_text("{}")
    (other / "signing_key.json").chmod(0o600)
    done = shared_server.run("channels", "create", name, "--data", "other")
    assert done.returncode == 1 and "is no signing key" in done.stderr
