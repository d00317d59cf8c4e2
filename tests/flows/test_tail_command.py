"""`./run tail`: from where it is told, each event once, across restarts, until there is a reason to end."""

import json
import os
import pty
import re
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.serve_process import COMMAND, ServeProcess, environment


@pytest.fixture
def news(shared_server: ServeProcess) -> str:
    """A public channel of the test's own; its id."""
    channel_id = f"tail-{secrets.token_hex(6)}"
    shared_server.create(channel_id)
    return channel_id


@contextmanager
def tailing(server: ServeProcess, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A running `tail`; killed at the end where it still runs."""
    with server.spawn("tail", *words) as process:
        try:
            yield process
        finally:
            process.kill()


def ids(process: "subprocess.Popen[str]", count: int) -> list[str]:
    """The ids of the next lines of JSON."""
    assert process.stdout is not None
    return [json.loads(process.stdout.readline())["id"] for _ in range(count)]


def word(process: "subprocess.Popen[str]") -> str:
    """The next line that it says on stderr."""
    assert process.stderr is not None
    return process.stderr.readline().rstrip("\n")


def await_reader(server: ServeProcess, channel_id: str) -> None:
    """Return when somebody follows the channel."""
    while not server.ask("GET", f"/channels/{channel_id}").json()["subscriber_count"]:
        pass


def test_without_a_start_it_prints_what_comes_from_now_on(shared_server: ServeProcess, news: str) -> None:
    shared_server.publish(news, "before")
    with tailing(shared_server, news, "--json") as process:
        await_reader(shared_server, news)
        published = shared_server.publish(news, 1, 2)
        assert ids(process, 2) == published


def test_it_starts_after_a_cursor_or_a_time_or_at_the_newest(shared_server: ServeProcess, news: str) -> None:
    published = shared_server.publish(news, *range(10))
    first = shared_server.ask("GET", f"/channels/{news}/events/{published[0]}").json()["created_at"]
    with (
        tailing(shared_server, news, "--json", "--cursor", published[3]) as after,
        tailing(shared_server, news, "--json", "--newest", "2") as newest,
        tailing(shared_server, news, "--json", "--since", "1h") as since,
        tailing(shared_server, news, "--json", "--since", first) as later,
    ):
        assert ids(after, 6) == published[4:]
        assert ids(newest, 2) == published[8:]
        assert ids(since, 10) == published
        await_reader(shared_server, news)
        published += shared_server.publish(news, "more")
        assert ids(since, 1) == ids(newest, 1) == published[10:]
        same_ms = shared_server.ask("GET", f"/channels/{news}/events?since={first}").json()["events"]
        assert ids(later, len(same_ms)) == [event["id"] for event in same_ms]


def test_json_is_what_the_server_sent_and_a_line_for_people_shows_its_essence(
    shared_server: ServeProcess, news: str
) -> None:
    body = {"type": "a\x1b[2Jb", "data": {"price": 1.50, "text": "\u202eü\u009b"}}
    event = shared_server.ask("POST", f"/channels/{news}/events", json=body).json()
    with (
        tailing(shared_server, news, "--newest", "1", "--json") as raw,
        tailing(shared_server, news, "--newest", "1") as shown,
    ):
        assert raw.stdout is not None and shown.stdout is not None
        assert json.loads(raw.stdout.readline()) == event
        line = shown.stdout.readline()
    assert line.split("  ") == [
        event["created_at"],
        event["id"],
        r"a\u001b[2Jb",
        r'{"price":1.5,"text":"\u202eü\u009b"}' + "\n",
    ]


def test_only_the_types_that_are_asked_for(shared_server: ServeProcess, news: str) -> None:
    batch = [{"type": kind, "data": 0} for kind in ("a", "b", "c", "a")]
    events = shared_server.ask("POST", f"/channels/{news}/events", json={"events": batch}).json()["events"]
    with tailing(shared_server, news, "--json", "--newest", "2", "--types", "a,c") as process:
        assert ids(process, 2) == [events[2]["id"], events[3]["id"]]


def test_only_what_fits_the_filters_is_shown_in_colours_where_they_are_asked_for(
    shared_server: ServeProcess, news: str
) -> None:
    batch = [{"type": "paid", "data": {"subject": f"ord_{i}", "of": i % 2}} for i in range(4)]
    shared_server.ask("POST", f"/channels/{news}/events", json={"events": batch})
    start = ("--newest", "4", "--color", "always")
    wanted = ("--publisher", "tests", "--subject", "ord_3", "--grep", '"of":1')
    with tailing(shared_server, news, *start, *wanted) as one, tailing(shared_server, news, *start) as every:
        assert one.stdout is not None and every.stdout is not None
        line = one.stdout.readline()
        assert "\x1b[" in line and '{"subject":"ord_3","of":1}' in line
        assert sum("ord_" in every.stdout.readline() for _ in range(4)) == 4


@pytest.mark.parametrize(("environ", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours_unless_it_wants_none(
    shared_server: ServeProcess, news: str, environ: dict[str, str], is_coloured: bool
) -> None:
    shared_server.publish(news, "shown")
    terminal, inside = pty.openpty()
    env = {**environment(TIDEMARK_URL=shared_server.url, TERM="xterm"), **environ}
    env = {name: value for name, value in env.items() if name != "NO_COLOR" or environ}
    command = [*COMMAND, "tail", news, "--newest", "1"]
    with subprocess.Popen(command, stdout=inside, stdin=subprocess.DEVNULL, env=env) as process:
        try:
            line = b""
            while b"shown" not in line:
                line += os.read(terminal, 1024)
        finally:
            process.kill()
    os.close(inside)
    os.close(terminal)
    assert (b"\x1b[" in line) is is_coloured


def test_it_goes_on_after_a_broker_that_was_killed_and_prints_each_event_once(server: ServeProcess) -> None:
    server.create("news")
    with tailing(server, "news", "--json", "--newest", "0") as process:
        await_reader(server, "news")
        published = server.publish("news", *range(20))
        assert ids(process, 20) == published
        server.kill()
        assert word(process) == f"The connection broke; resuming after {published[-1]}"
        assert "does not answer: connection refused" in word(process)
        server.start()
        published = server.publish("news", *range(20))
        assert ids(process, 20) == published


def test_it_goes_on_after_a_restart_though_it_has_printed_nothing_yet(server: ServeProcess) -> None:
    server.create("news")
    server.publish("news", "before")
    with tailing(server, "news", "--json") as process:
        await_reader(server, "news")
        assert server.stop() == 0
        assert re.fullmatch(r"The server closed the connection \(1012 restart\); resuming after \w{26}", word(process))
        server.start()
        published = server.publish("news", "after")
        assert ids(process, 1) == published


def test_it_waits_for_a_server_that_is_not_there_yet(server: ServeProcess) -> None:
    server.create("news")
    assert server.stop() == 0
    with tailing(server, "news", "--json") as process:
        assert word(process).endswith("does not answer: connection refused; trying again")
        server.start()
        await_reader(server, "news")
        published = server.publish("news", 1)
        assert ids(process, 1) == published


def test_a_gap_is_told_and_it_goes_on_behind_it(shared_server: ServeProcess, news: str) -> None:
    published = shared_server.publish(news, *range(10))
    shared_server.ask("PATCH", f"/channels/{news}", json={"config": {"storage": {"retention_events": 2}}})
    while shared_server.ask("GET", f"/channels/{news}/events?cursor={published[0]}").json()["complete"]:
        pass
    with tailing(shared_server, news, "--json", "--cursor", published[0]) as process:
        assert word(process) == (
            f"There is a gap: events after {published[0]} are no longer kept; resuming after {published[7]}"
        )
        assert ids(process, 2) == published[8:]


def test_the_end_of_the_channel_is_the_end_with_status_0(shared_server: ServeProcess, news: str) -> None:
    with tailing(shared_server, news) as process:
        await_reader(shared_server, news)
        assert shared_server.ask("DELETE", f"/channels/{news}").status_code == 204
        assert process.wait(30) == 0
        assert word(process) == "The server ended the channel: channel deleted"


def test_a_channel_that_turned_private_is_an_error(shared_server: ServeProcess, news: str) -> None:
    with tailing(shared_server, news) as process:
        await_reader(shared_server, news)
        assert shared_server.ask("PATCH", f"/channels/{news}", json={"is_public": False}).status_code == 200
        assert process.wait(30) == 1
        assert word(process) == "Error: The server ended the reading: forbidden (4403)"


def test_an_expired_token_is_an_error_and_one_signed_here_is_renewed(shared_server: ServeProcess) -> None:
    channel_id = f"tail-{secrets.token_hex(6)}"
    shared_server.create(channel_id, is_public=False)
    token = shared_server.run("token", "--data", "data", "--scope", f"sub:{channel_id}", "--expires", "1s").stdout
    with tailing(shared_server, channel_id, "--token", token.strip()) as process:
        assert process.wait(30) == 1
        assert re.search(r"token expired \(4401\)|Invalid or expired token \(401\)", word(process))
    with tailing(shared_server, channel_id, "--json", "--data", "data") as process:
        await_reader(shared_server, channel_id)
        published = shared_server.publish(channel_id, 1)
        assert ids(process, 1) == published


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["none"], 1, "Error: Channel not found (404)"),
        (["none", "--cursor", "x"], 2, "x is no cursor"),
        (["none", "--since", "yesterday"], 2, "yesterday is neither a time"),
        (["none", "--newest", "101"], 2, "--newest"),
        (["none", "--grep", "("], 2, "( is no regular expression"),
        (["none", "--types", "a,,b"], 2, "types is a list of names"),
        (["none", "--newest", "1", "--since", "1h"], 2, "one can be given"),
    ],
)
def test_what_cannot_be_followed_is_told(shared_server: ServeProcess, words: list[str], status: int, says: str) -> None:
    done = shared_server.run("tail", *words)
    assert (done.returncode, done.stdout) == (status, "")
    assert says in done.stderr


def test_a_private_channel_needs_a_token(shared_server: ServeProcess, news: str) -> None:
    shared_server.ask("PATCH", f"/channels/{news}", json={"is_public": False})
    assert shared_server.run("tail", news).stderr == "Error: Subscribe token required for private channel (401)\n"
    wrong = shared_server.run("tail", news, TIDEMARK_TOKEN=shared_server.token("sub:other"))
    assert (wrong.returncode, wrong.stderr) == (1, "Error: Insufficient permissions (403)\n")


def test_ctrl_c_is_status_130_without_a_word(shared_server: ServeProcess, news: str) -> None:
    with tailing(shared_server, news) as process:
        await_reader(shared_server, news)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert word(process) == ""


def test_a_pipe_that_nobody_reads_any_more_ends_it_without_a_word(shared_server: ServeProcess, news: str) -> None:
    with tailing(shared_server, news) as process:
        await_reader(shared_server, news)
        assert process.stdout is not None
        process.stdout.close()
        shared_server.publish(news, 1)
        assert process.wait(30) == 141
        assert word(process) == ""
