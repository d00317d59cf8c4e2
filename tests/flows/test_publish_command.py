"""`./run publish`: each event stored once, ids on stdout, one clear line for what went wrong."""

import json
import secrets
import signal
import subprocess

import pytest

from tests.serve_process import ServeProcess, free_port


@pytest.fixture
def news(shared_server: ServeProcess) -> str:
    """A channel of the test's own; its id."""
    channel_id = f"publish-{secrets.token_hex(6)}"
    shared_server.create(channel_id, is_public=False)
    return channel_id


def stored(server: ServeProcess, channel_id: str) -> list[tuple[str, str | None, object]]:
    """Id, type and data of the newest events."""
    events = server.ask("GET", f"/channels/{channel_id}/events?limit=100").json()["events"]
    return [(event["id"], event["type"], event["data"]) for event in events]


def feed(server: ServeProcess, lines: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """The outcome of publishing these lines."""
    with server.spawn("publish", *words) as process:
        out, err = process.communicate(lines, timeout=30)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def test_it_publishes_with_a_token_signed_by_the_key_of_the_data_and_prints_the_id(
    shared_server: ServeProcess, news: str
) -> None:
    done = shared_server.run("publish", news, '{"a": 1.50, "ü": "\\u00fc"}', "--type", "t", "--data", "data")
    assert (done.returncode, done.stderr) == (0, "")
    assert stored(shared_server, news) == [(done.stdout.strip(), "t", {"a": 1.5, "ü": "ü"})]


def test_it_takes_a_token_from_the_environment_and_signs_none_for_a_server_that_was_named(
    shared_server: ServeProcess, news: str
) -> None:
    token = shared_server.token(f"pub:{news}")
    assert shared_server.run("publish", news, "1", TIDEMARK_TOKEN=token).returncode == 0
    done = shared_server.run("publish", news, "2")
    assert done.returncode == 1
    assert done.stderr == "Error: DATA not published: Missing or invalid Authorization header (401)\n"
    assert [data for _, _, data in stored(shared_server, news)] == [1]


def test_lines_are_published_in_order_each_with_its_id(shared_server: ServeProcess, news: str) -> None:
    done = feed(shared_server, "".join(f"{i}\n" for i in range(250)) + "\n  \n250", news, "--data", "data")
    assert done.returncode == 0, done.stderr
    ids = done.stdout.split()
    assert len(ids) == 251 and ids == sorted(set(ids))
    assert stored(shared_server, news) == [(ids[i], None, i) for i in range(151, 251)]


def test_a_line_is_published_while_the_next_one_is_still_being_written(shared_server: ServeProcess, news: str) -> None:
    with shared_server.spawn("publish", news, "--data", "data") as process:
        assert process.stdin is not None and process.stdout is not None
        for i in range(3):
            process.stdin.write(f"{i}\n")
            process.stdin.flush()
            event_id = process.stdout.readline().strip()
            assert stored(shared_server, news)[-1] == (event_id, None, i)
        process.stdin.close()
        assert process.wait(30) == 0


def test_a_line_that_is_no_json_ends_it_when_all_before_are_published(shared_server: ServeProcess, news: str) -> None:
    done = feed(shared_server, '1\n2\nNaN\n"never"\n', news, "--data", "data")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: line 3 is no JSON") and done.stderr.count("\n") == 1
    assert [data for _, _, data in stored(shared_server, news)] == [1, 2]
    assert len(done.stdout.split()) == 2


def test_what_the_server_refuses_is_told_with_its_lines(shared_server: ServeProcess, news: str) -> None:
    done = feed(shared_server, f'"{"x" * 70_000}"', news, "--data", "data")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: line 1 not published: ") and "(413)" in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["hello world"], "text is JSON in quotes"),
        (["NaN"], "is no JSON"),
        (["1", "--url", "ftp://x"], "ftp://x is no URL of a server"),
        (["1", "--retry-for", "5"], "--retry-for: Invalid duration"),
        (["1", "--data", "nowhere"], "There is no signing key"),
        (["-", "--key", "k"], "--key is for DATA"),
        (["1", "--data", "data", "-x"], "No such option"),
    ],
)
def test_wrong_use_is_told_before_anything_is_sent(shared_server: ServeProcess, words: list[str], says: str) -> None:
    done = shared_server.run("publish", "none", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_the_same_key_stores_once_over_several_runs(shared_server: ServeProcess, news: str) -> None:
    done = [shared_server.run("publish", news, "1", "--key", "k", "--data", "data") for _ in range(2)]
    assert done[0].stdout == done[1].stdout and len(stored(shared_server, news)) == 1


def test_a_server_that_stays_away_is_status_75_and_the_event_perhaps_published(shared_server: ServeProcess) -> None:
    port = free_port()
    done = shared_server.run("publish", "news", "1", "--url", f"http://127.0.0.1:{port}", "--retry-for", "1s")
    first, last = done.stderr.splitlines()
    assert done.returncode == 75
    assert first == f"http://127.0.0.1:{port} does not answer: connection refused; trying again"
    assert last == f"Error: DATA perhaps not published: http://127.0.0.1:{port} does not answer: connection refused"


def test_lines_survive_a_broker_that_is_killed_each_stored_once(server: ServeProcess) -> None:
    server.create("news")
    start = server.tip("news")
    with server.spawn("publish", "news", "--data", "data") as process:
        assert process.stdin is not None and process.stdout is not None
        for i in range(300):
            if i == 100:
                server.kill()
            process.stdin.write(f"{i}\n")
            process.stdin.flush()
            if i == 200:
                server.start()
        process.stdin.close()
        ids = process.stdout.read().split()
        assert process.stderr is not None
        assert (process.wait(30), "trying again" in process.stderr.read()) == (0, True)
    assert [(event["id"], event["data"]) for event in server.events("news", start)] == [
        (event_id, i) for i, event_id in enumerate(ids)
    ]
    assert len(ids) == 300


def test_ctrl_c_is_status_130_without_a_word(shared_server: ServeProcess, news: str) -> None:
    with shared_server.spawn("publish", news, "--data", "data") as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write("1\n")
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert (process.wait(30), process.stderr.read()) == (130, "")


def test_the_id_of_an_event_is_all_that_is_printed(shared_server: ServeProcess, news: str) -> None:
    done = shared_server.run("publish", news, json.dumps({"a": [1, None]}), "--data", "data")
    assert len(done.stdout) == 27 and done.stdout.endswith("\n")


def test_a_name_that_no_channel_has_is_told_as_such(shared_server: ServeProcess) -> None:
    done = shared_server.run("publish", "No_Channel", "1", "--data", "data")
    assert done.returncode == 2
    assert "No_Channel is no channel: those are small letters, digits and hyphens" in done.stderr
