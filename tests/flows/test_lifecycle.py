"""The event lifecycle API on servers that are processes: from the command line, and when they are killed."""

import asyncio
import json
import os
import signal
import uuid
from typing import Any, NamedTuple

import httpx2
import pytest
from websockets.asyncio.client import connect

from tests.serve_process import ServeProcess

SERVICE = "/event.events.private.v1.Service"
CHANNEL = "/api/v1/channels/lifecycle-team-acme"
PATIENCE_S = 40.0
BATCH = 20


class Program(NamedTuple):
    """A program of a tenant with a key that was made by `./run key`."""

    server: ServeProcess
    key: str

    async def post(self, call: str, body: Any, idempotency_key: str | None = None) -> httpx2.Response:
        """One call on a connection of its own, as after a crash nobody has an old one."""
        headers = {"Authorization": f"Bearer {self.key}"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        async with httpx2.AsyncClient(base_url=self.server.url, trust_env=False, timeout=20, headers=headers) as client:
            return await client.post(f"{SERVICE}/{call}", json=body)

    async def insist(self, call: str, body: Any, idempotency_key: str) -> httpx2.Response:
        """The same call again and again, as long as the server is away or says that it is."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    answer = await self.post(call, body, idempotency_key)
                    if answer.status_code < 500:
                        return answer
                    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
                except httpx2.TransportError:
                    pass
                await asyncio.sleep(0.02)

    async def told(self) -> list[dict[str, Any]]:
        """The whole log."""
        headers = {"Authorization": f"Bearer {self.key}"}
        found, cursor = [], "0" * 26
        async with httpx2.AsyncClient(base_url=self.server.url, trust_env=False, timeout=20, headers=headers) as client:
            while True:
                page = (await client.get(f"{CHANNEL}/events?limit=100&cursor={cursor}")).json()
                found += page["events"]
                cursor = page["cursor"]
                if not page["has_more"]:
                    return found


def program_of(server: ServeProcess) -> Program:
    made = server.run("key", "--data", str(server.data), "--tenant", "acme", "--scope", "lifecycle")
    assert made.returncode == 0, made.stderr
    return Program(server, made.stdout.strip())


def creating(ids: list[str]) -> Any:
    fixed = {"kind": 1, "schedule": 2, "broadcast": {"orientation": 2}, "metadata": {"title": "Launch AMA"}}
    return {"arguments": [{"id": each, **fixed} for each in ids]}


def query(ids: list[str]) -> Any:
    return {"arguments": [{"query": {"conditions": [{"ids": ids}]}}]}


async def test_a_key_of_the_command_line_calls_and_follows_what_it_does(server: ServeProcess) -> None:
    acme = program_of(server)
    [event_id] = ids = [str(uuid.uuid4())]
    assert (await acme.post("Select", query(ids))).json()["code"] == "not_found"
    made = await acme.post("Create", creating(ids))
    url = f"ws://127.0.0.1:{server.port}{CHANNEL}/ws?cursor={made.headers['Tidemark-Cursor']}"
    async with connect(url, proxy=None, additional_headers={"Authorization": f"Bearer {acme.key}"}) as socket:
        answers = [await acme.post(call, query(ids)) for call in ("Start", "Start", "Finish", "Select")]
        frames = [json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S)) for _ in range(2)]
    assert [each["type"] for each in frames] == ["lifecycle.event.started", "lifecycle.event.finished"]
    assert [each["data"]["event"] for each in frames] == [answers[at].json()["events"][0] for at in (0, 2)]
    assert answers[3].json() == answers[2].json() and frames[0]["data"]["subject"] == event_id
    assert [each.headers["Tidemark-Cursor"] for each in answers] == [frames[at]["id"] for at in (0, 0, 1, 1)]


def kill_broker(server: ServeProcess) -> None:
    server.kill()
    server.start()


def kill_engine(server: ServeProcess) -> None:
    os.kill(server.engine_pid, signal.SIGKILL)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kill", [kill_broker, kill_engine])
async def test_who_is_killed_amid_batches_leaves_none_of_them_half_done(
    durable_server: ServeProcess, kill: Any
) -> None:
    """Programs that insist with an Idempotency-Key get each batch done once, and told once and whole."""
    acme, batches = program_of(durable_server), [[str(uuid.uuid4()) for _ in range(BATCH)] for _ in range(24)]
    done = 0
    killing = asyncio.Event()

    async def run(batch: list[str]) -> list[httpx2.Response]:
        nonlocal done
        answers = []
        for call, body in (("Create", creating(batch)), ("Start", query(batch)), ("Cancel", query(batch))):
            answers.append(await acme.insist(call, body, f"{call}-{batch[0]}"))
            done += 1
            if done in (20, 50):
                killing.set()
        return answers

    async def kill_twice() -> None:
        for _ in range(2):
            await killing.wait()
            killing.clear()
            await asyncio.to_thread(kill, durable_server)

    killer = asyncio.create_task(kill_twice())
    groups = [batches[at::6] for at in range(6)]

    async def run_all(group: list[list[str]]) -> list[list[httpx2.Response]]:
        return [await run(batch) for batch in group]

    answers = [each for group in await asyncio.gather(*map(run_all, groups)) for each in group]
    await killer
    assert {each.status_code for group in answers for each in group} == {200}
    for batch in batches:
        selected = (await acme.post("Select", query(batch))).json()["events"]
        assert [(each["id"], each["status"]) for each in selected] == [(each, "StatusCanceled") for each in batch]
    check_log(await acme.told(), [batch for group in groups for batch in group], answers)


def check_log(told: list[dict[str, Any]], batches: list[list[str]], answers: list[list[httpx2.Response]]) -> None:
    """Each call's events stand together in the log, once, and are those that it was answered with."""
    subjects = [(each["type"].rpartition(".")[2], each["data"]["subject"]) for each in told]
    assert len(subjects) == len(set(subjects)) == len(batches) * 3 * BATCH
    for batch, group in zip(batches, answers, strict=True):
        for word, answer in zip(("created", "started", "canceled"), group, strict=True):
            at = subjects.index((word, batch[0]))
            assert subjects[at : at + BATCH] == [(word, each) for each in batch]
            assert [each["data"]["event"] for each in told[at : at + BATCH]] == answer.json()["events"]
            assert answer.headers["Tidemark-Cursor"] == told[at + BATCH - 1]["id"]
