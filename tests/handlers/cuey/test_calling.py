"""Calls that are made: once each by what is kept, never early, and nobody's waiting for anybody else's receiver."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from broker.ids import parse_time
from tests.broker_server import running_broker
from tests.handlers.cuey.calls import HOUR_MS, PATIENCE_S, Json, Team, team_of
from tests.handlers.cuey.conftest import OPEN
from tests.receivers import Receiver, Request, receiving, status

RETRY = {"maxRetries": 2, "backoffMs": 1_000, "backoffType": "exponential"}


@asynccontextmanager
async def team_on(engine_url: str, tmp_path: Path, url: str, **cuey: Any) -> AsyncIterator[Team]:
    """A team on a broker with these settings of `[cuey]`."""
    settings = {**OPEN, "cuey": {**OPEN["cuey"], **cuey}}
    async with running_broker(engine_url, tmp_path / "signing_key.json", settings) as server:
        team = await team_of(server)
        team.url = url
        yield team


async def retries_of(team: Team, event_id: str) -> list[Json]:
    """The retries of an event, in their order."""
    return [each for each in reversed(await team.listed()) if each["retry_of"] == event_id]


async def test_a_call_that_fails_is_made_again_as_often_as_it_says_and_each_try_is_an_event(
    acme: Team, receiver: Receiver
) -> None:
    receiver.answer = status(503)
    made = await acme.schedule(retry_config=RETRY, payload={"a": 1}, headers={"X-Own": "y"})
    await acme.advance()
    first = await acme.until(made["id"], "failed")
    assert (first["response_status"], first["response_error"]) == (503, "The receiver answered 503")
    for number in (1, 2):
        retry = (await retries_of(acme, made["id"]))[-1]
        assert retry["status"] == "processing" and retry["executed_at"] is None
        for method, body in (("PUT", await acme.asked()), ("DELETE", None)):
            await acme.refused(method, f"events/{retry['id']}", body, 400, "BAD_REQUEST")
        await acme.advance(4_000)
        assert (await acme.until(retry["id"], "failed"))["payload"] == {"a": 1}
        assert len(await retries_of(acme, made["id"])) == min(number + 1, 2)
    await acme.advance()
    requests = await receiver.heard(3)
    roots = [each.headers.get("X-Cuey-Retry-Of") for each in requests]
    assert len(requests) == 3 and roots == [None, made["id"], made["id"]]
    assert {(each.body, each.headers["X-Own"]) for each in requests} == {(b'{"a":1}', "y")}
    last = (await retries_of(acme, made["id"]))[-1]
    assert await acme.story(made["id"]) == ["created", "processing", "failed"]
    assert await acme.story(last["id"]) == ["retried", "processing", "failed", "exhausted"]


async def test_the_pause_counts_from_the_failure_and_grows(acme: Team, receiver: Receiver) -> None:
    receiver.answer = status(500)
    made = await acme.schedule(retry_config=RETRY)
    await acme.advance()
    first = await acme.until(made["id"], "failed")
    [one] = await retries_of(acme, made["id"])
    assert parse_time(one["scheduled_at"]) - parse_time(first["updated_at"]) == 1_000
    await acme.advance(4_000)
    failed = await acme.until(one["id"], "failed")
    [_, two] = await retries_of(acme, made["id"])
    assert parse_time(two["scheduled_at"]) - parse_time(failed["updated_at"]) == 2_000


async def test_a_retry_that_succeeds_ends_the_chain(acme: Team, receiver: Receiver) -> None:
    receiver.answer = status(500)
    made = await acme.schedule()
    await acme.advance()
    await acme.until(made["id"], "failed")
    receiver.answer = status(204)
    [retry] = await retries_of(acme, made["id"])
    await acme.advance(1_000)
    assert (await acme.until(retry["id"], "success"))["response_error"] is None
    await acme.advance()
    assert len(receiver.requests) == 2 and len(await acme.listed()) == 2


async def test_a_redirect_is_a_failure_and_is_not_followed(acme: Team, receiver: Receiver) -> None:
    async with receiving() as elsewhere:
        receiver.answer = status(307, Location=elsewhere.url)
        made = await acme.schedule()
        await acme.advance()
        event = await acme.until(made["id"], "failed")
        assert (event["response_status"], event["response_headers"]["location"]) == (307, elsewhere.url)
        assert elsewhere.requests == []


async def test_what_comes_of_a_call_is_kept_cut_and_clean(acme: Team, receiver: Receiver) -> None:
    async def answer(_: Request) -> web.Response:
        response = web.Response(body=b"\0" + "é".encode() * 3_000)
        response.headers.add("Set-Cookie", "a=1")
        response.headers.add("Set-Cookie", "b=2")
        return response

    receiver.answer = answer
    made = await acme.schedule()
    await acme.advance()
    event = await acme.until(made["id"], "success")
    assert event["response_body"] == "\0" + "é" * 511
    assert event["response_headers"]["set-cookie"] == "a=1, b=2" and event["response_duration"] >= 0


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "success"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "success"),
        (b"HTTP/1.1 201 \r\nContent-Length: 0\r\n\r\n", "success"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "success"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", "failed"),
        (b"nonsense\r\n\r\n", "failed"),
        (b"", "failed"),
    ],
)
async def test_each_answer_ends_in_success_or_failure(engine_url: str, tmp_path: Path, said: bytes, ends: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        if not said:
            writer.close()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
        async with team_on(engine_url, tmp_path, url, timeout_s=0.5) as team:
            made = await team.schedule(payload=1)
            await team.advance()
            event = await team.until(made["id"], "success", "failed")
            assert event["status"] == ends
            assert (event["response_error"] is None) is (ends == "success")
            if b"abc" in said:
                assert event["response_body"] == "abc"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://localhost/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://10.0.0.1/",
        "http://224.0.0.1/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
    ],
)
async def test_an_address_that_is_not_public_is_never_connected_to(engine_url: str, tmp_path: Path, url: str) -> None:
    async with running_broker(engine_url, tmp_path / "key.json", {"clock": {"mode": "test"}}) as server:
        team = await team_of(server)
        team.url = url
        made = await team.schedule()
        await team.advance()
        event = await team.until(made["id"], "failed")
        assert event["response_status"] is None
        assert re.search("may not be called|Cannot connect|canonical", event["response_error"])


@pytest.mark.timeout(400)
async def test_a_thousand_calls_of_one_second_do_not_wait_for_one_receiver_that_hangs(
    engine_url: str, tmp_path: Path
) -> None:
    hangs = asyncio.Event()

    async def hang(_: Request) -> web.Response:
        await hangs.wait()
        return web.Response()

    async with AsyncExitStack() as stack:
        receivers = [await stack.enter_async_context(receiving()) for _ in range(50)]
        receivers[0].answer = hang
        team = await stack.enter_async_context(team_on(engine_url, tmp_path, "", timeout_s=250.0))
        at = await team.in_ms(HOUR_MS)
        bodies = [{"webhook_url": receivers[n % 50].url, "scheduled_at": at, "payload": n} for n in range(1_000)]
        for part in range(0, 1_000, 50):
            await asyncio.gather(*(team.good("POST", "events", each) for each in bodies[part : part + 50]))
        await team.advance()
        async with asyncio.timeout(5 * PATIENCE_S):
            while (await team.ask("GET", "events?status=success&limit=1")).json()["pagination"]["total"] < 980:
                await asyncio.sleep(0.05)
        assert len(receivers[0].requests) == 20 and receivers[0].taken == []
        hangs.set()
        async with asyncio.timeout(PATIENCE_S):
            while (await team.ask("GET", "events?status=success&limit=1")).json()["pagination"]["total"] < 1_000:
                await asyncio.sleep(0.05)
        counts = Counter(each.headers["X-Cuey-Event-Id"] for one in receivers for each in one.requests)
        assert len(counts) == 1_000 and set(counts.values()) == {1}
        events = await team.listed()
        assert all(each["executed_at"] >= each["scheduled_at"] == at for each in events)


async def test_no_more_calls_are_under_way_to_a_host_than_may_be(engine_url: str, tmp_path: Path) -> None:
    at_once, most = 0, 0

    async def slow(_: Request) -> web.Response:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.02)
        at_once -= 1
        return web.Response()

    async with receiving(slow) as receiver, team_on(engine_url, tmp_path, receiver.url, per_host=1) as team:
        made = [await team.schedule() for _ in range(3)]
        await team.advance()
        for each in made:
            await team.until(each["id"], "success")
        assert most == 1


async def test_an_event_that_was_moved_is_called_at_its_new_time_only(acme: Team, receiver: Receiver) -> None:
    made = await acme.schedule(HOUR_MS)
    await acme.good("PUT", f"events/{made['id']}", await acme.asked(3 * HOUR_MS))
    other = await acme.schedule(2 * HOUR_MS)
    await acme.advance(2 * HOUR_MS)
    await acme.until(other["id"], "success")
    assert (await acme.event(made["id"]))["status"] == "pending" and len(receiver.requests) == 1
    await acme.advance(HOUR_MS)
    assert (await acme.until(made["id"], "success"))["executed_at"] >= (await acme.event(made["id"]))["scheduled_at"]


@pytest.mark.parametrize("method", ["DELETE", "PUT"])
async def test_of_a_change_and_the_call_exactly_one_wins(acme: Team, receiver: Receiver, method: str) -> None:
    made = [await acme.schedule() for _ in range(30)]
    body = await acme.asked(24 * HOUR_MS) if method == "PUT" else None
    changes = asyncio.gather(*(acme.ask(method, f"events/{each['id']}", body) for each in made))
    await acme.advance()
    answers = await changes
    for each, answer in zip(made, answers, strict=True):
        if answer.status_code == 400:
            await acme.until(each["id"], "success")
    called = {each.headers["X-Cuey-Event-Id"] for each in receiver.requests}
    assert called == {each["id"] for each, answer in zip(made, answers, strict=True) if answer.status_code == 400}
    assert {answer.status_code for answer in answers} <= {200, 400}


async def test_what_was_due_while_no_server_was_there_is_late_and_not_lost(engine_url: str, tmp_path: Path) -> None:
    async with receiving() as receiver:
        async with team_on(engine_url, tmp_path, receiver.url) as team:
            made = [await team.schedule(HOUR_MS * n) for n in (3, 1, 2)]
        async with team_on(engine_url, tmp_path, receiver.url) as team:
            await team.advance(4 * HOUR_MS)
            for each in made:
                event = await team.until(each["id"], "success")
                assert event["executed_at"] > event["scheduled_at"]
