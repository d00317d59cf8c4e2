"""API keys and timers over real processes: workers, a server that is killed, and the command line beside it."""

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
from websockets.asyncio.client import connect

from broker.channels import NewChannel
from broker.storage.engine_files import attach_url
from tests.serve_process import API, ServeProcess, serving
from tests.stores import open_store

TWO = {"TIDEMARK_SERVER__WORKERS": "2"}
TEAM = "cuey-team-acme"
PATIENCE_S = 30.0


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def statuses(server: ServeProcess, key: str, count: int = 12) -> set[int]:
    """What the key gets on so many new connections, which the workers share."""
    found = set()
    for _ in range(count):
        with httpx2.Client(base_url=server.url, trust_env=False, timeout=20) as client:
            answer = client.get(f"{API}/channels/{TEAM}", headers={"Authorization": f"Bearer {key}"})
            found.add(answer.status_code)
    return found


def until_published(server: ServeProcess, count: int) -> list[dict[str, object]]:
    until = time.monotonic() + PATIENCE_S
    while len(events := server.ask("GET", "/channels/news/events?limit=100").json()["events"]) < count:
        assert time.monotonic() < until, f"{len(events)} of {count} were published"
        time.sleep(0.02)
    return list(events)


async def make_channel(server: ServeProcess) -> None:
    """The tenant's channel, as its first use would make it."""
    async with open_store(attach_url(server.data)) as store:
        await store.channels.ensure(NewChannel(TEAM, "acme"))


async def test_a_key_of_the_command_line_acts_and_ends_in_every_worker_within_a_second(tmp_path: Path) -> None:
    with serving(tmp_path / "data", TWO) as server:
        made = server.run("key", "--data", str(server.data), "--tenant", "acme", "--scope", "cuey")
        assert made.returncode == 0, made.stderr
        key = made.stdout.strip()
        await make_channel(server)
        assert statuses(server, key) == {200}
        assert statuses(server, key[:-1] + ("a" if key[-1] != "a" else "b")) == {401}
        [line] = server.run("key", "--data", str(server.data), "--list").stdout.splitlines()
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(following(server, key)) for _ in range(8)]
            revoked = server.run("key", "--data", str(server.data), "--revoke", line.split()[0])
            began = time.monotonic()
            assert revoked.returncode == 0, revoked.stderr
            for socket in sockets:
                await asyncio.wait_for(socket.wait_closed(), PATIENCE_S)
                assert socket.close_code == 4401
            # A second, and what a machine that runs many tests at once may add.
            assert time.monotonic() - began < 2
        assert statuses(server, key) == {401}


def following(server: ServeProcess, key: str) -> connect:
    url = f"ws://127.0.0.1:{server.port}{API}/channels/{TEAM}/ws"
    return connect(url, proxy=None, compression=None, additional_headers={"Authorization": f"Bearer {key}"})


def test_timers_survive_a_server_that_is_killed_and_are_done_once_when_it_is_back(server: ServeProcess) -> None:
    server.create("news")
    at = in_seconds(1.0)
    for number in range(20):
        body = {"data": number, "publish_at": at}
        answer = server.ask("POST", "/channels/news/events", json=body)
        assert answer.status_code == 202, answer.text
    server.kill()
    time.sleep(1.2)
    server.start()
    events = until_published(server, 20)
    time.sleep(0.5)
    assert sorted(int(str(event["data"])) for event in until_published(server, 20)) == list(range(20))
    assert all(str(event["created_at"]) >= at[:19] for event in events)


def test_two_workers_do_each_timer_once(tmp_path: Path) -> None:
    with serving(tmp_path / "data", TWO) as server:
        server.create("news")
        for number in range(60):
            body = {"data": number, "publish_at": in_seconds(0.3)}
            assert server.ask("POST", "/channels/news/events", json=body).status_code == 202
        until_published(server, 60)
        time.sleep(0.5)
        assert sorted(int(str(each["data"])) for each in until_published(server, 60)) == list(range(60))
