"""Both faces of the client: one answer or one clear reason, the same request until there is one."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Authority
from tests.clients.faces import FACES, client_of
from tests.clients.scripted import GONE, answer, scripted
from tidemark_client import Draft, Invalid, RawJson, Refused, Timing, Unreachable

pytestmark = pytest.mark.parametrize("face", FACES)

BUSY = answer(503, b'{"error": "The engine refuses writes now"}', "Retry-After: 0")
STORED = answer(201, b'{"id":"A"}')
CUT = b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{"a"'
NO_STATUS = b"HTTP/1.1 abc\r\nConnection: close\r\n\r\n"


def keys_of(asked: list[bytes]) -> list[bytes]:
    lines = [line for each in asked for line in each.lower().split(b"\r\n")]
    return [line.partition(b": ")[2] for line in lines if line.startswith(b"idempotency-key: ")]


async def test_a_publish_is_the_same_request_until_there_is_an_answer(face: str) -> None:
    said: list[str] = []
    with scripted(BUSY, GONE, CUT, answer(502, b""), answer(429), answer(500), STORED) as server:
        async with client_of(face, server.url, token="t", on_trouble=said.append) as client:
            assert (await client.publish("news", {"x": 1}, type="a")).id == "A"
    assert len(set(server.asked)) == 1 and len(server.asked) == 7
    assert len(keys_of(server.asked)[0]) == 32
    assert server.asked[0].startswith(b"POST /api/v1/channels/news/events HTTP/1.1\r\n")
    assert b"\r\nauthorization: bearer t\r\n" in server.asked[0].lower()
    assert said == ["The engine refuses writes now (503); trying again"], "once is enough"


async def test_each_publish_has_a_key_of_its_own_and_raw_data_go_as_they_are(face: str) -> None:
    stored = answer(201, b'{"events":[{"id":"A"},{"id":"B"}]}')
    with scripted(stored, stored, STORED) as server:
        async with client_of(face, server.url) as client:
            for _ in range(2):
                events = await client.publish_batch("news", [Draft(RawJson(b"1.50"), 'a"b'), Draft(2)])
                assert [event.id for event in events] == ["A", "B"]
            await client.publish("news", 1, key="mine")
    assert server.asked[0].endswith(b'{"events":[{"data":1.50,"type":"a\\"b"},{"data":2}]}')
    first, second, third = keys_of(server.asked)
    assert first != second and third == b"mine"


async def test_what_will_not_pass_is_told_at_once_with_all_that_was_said(face: str) -> None:
    body = b'{"error": "Insufficient permissions", "details": [1]}'
    with scripted(answer(403, body)) as server:
        async with client_of(face, server.url) as client:
            with pytest.raises(Refused, match=r"Insufficient permissions \(403\)") as refused:
                await client.publish("news", 1)
    assert refused.value.details["details"] == [1]


async def test_patience_ends_with_the_last_failure_and_the_key(face: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with client_of(face, url, patience_s=0.1) as client:
        with pytest.raises(Unreachable, match=rf"^{url} does not answer: connection refused$") as unreachable:
            await client.publish("news", 1, key="k")
    assert unreachable.value.key == "k"


async def test_a_server_that_says_nothing_is_waited_for_so_long_and_no_longer(face: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with client_of(face, url, timing=Timing(answer_s=0.1), patience_s=0) as client:
            with pytest.raises(Unreachable, match="timed out"):
                await client.page("news")


@pytest.mark.parametrize("said", [b"garbage\r\n\r\nConnection: close", NO_STATUS, CUT, GONE])
async def test_what_is_no_whole_answer_is_unreachable(face: str, said: bytes) -> None:
    with scripted(said) as server:
        async with client_of(face, server.url, patience_s=0) as client:
            with pytest.raises(Unreachable, match="does not answer"):
                await client.page("news")


async def test_the_token_of_the_moment_goes_with_every_call(face: str) -> None:
    tokens: Iterator[Any] = iter(["one", "two"])
    with scripted(STORED, STORED) as server:
        async with client_of(face, server.url, token=lambda: next(tokens)) as client:
            await client.publish("news", 1)
            await client.publish("news", 2)
    assert [b"Bearer one" in server.asked[0], b"Bearer two" in server.asked[1]] == [True, True]
    assert server.connections == 1, "a connection is kept"


async def test_any_other_call_has_a_key_where_it_writes(face: str) -> None:
    with scripted(answer(200, b'{"channels":[]}'), answer(204, b"")) as server:
        async with client_of(face, server.url) as client:
            assert await client.request("GET", "channels", query={"cursor": "a b"}) == {"channels": []}
            assert await client.request("DELETE", "channels", "x/y") is None
    assert server.asked[0].startswith(b"GET /api/v1/channels?cursor=a+b ")
    assert server.asked[1].startswith(b"DELETE /api/v1/channels/x%2Fy ")
    assert [len(keys_of([asked])) for asked in server.asked] == [0, 1]


async def test_a_call_with_what_is_no_json_is_told_before_anything_is_asked(face: str) -> None:
    async with client_of(face, "http://127.0.0.1:9") as client:
        for body in ({"n": float("nan")}, {1, 2}):
            with pytest.raises(Invalid, match="no JSON"):
                await client.request("POST", "channels", json=body)


async def test_a_success_of_another_kind_of_server_is_refused(face: str) -> None:
    bodies = (b"<html>", b"[]", b'{"events":[],"cursor":null,"has_more":false}', b'{"events":[],"cursor":"A"}')
    with scripted(*(answer(200, body) for body in bodies)) as server:
        async with client_of(face, server.url) as client:
            for _ in bodies:
                with pytest.raises(Refused, match="not that of a Tidemark server"):
                    await client.page("news")


@pytest.mark.parametrize("body", [b"[]", b'{"ok":true}', b'{"events":1}', b'{"events":[{"id":1}]}', b""])
async def test_a_publish_that_another_kind_of_server_took_is_refused(face: str, body: bytes) -> None:
    with scripted(answer(200, body), answer(200, body)) as server:
        async with client_of(face, server.url) as client:
            with pytest.raises(Refused, match="not that of a Tidemark server"):
                await client.publish("news", 1)
            with pytest.raises(Refused, match="not that of a Tidemark server"):
                await client.publish_batch("news", [Draft(1)])


@contextmanager
def over_tls(directory: Path) -> Iterator[str]:
    """A server whose certificate nobody vouches for; its URL. It says nothing, as nobody gets so far."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority(directory).sign()[:2])
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def shake_hands() -> None:
            for _ in range(2):
                client, _ = listener.accept()
                with client, suppress(ssl.SSLError), context.wrap_socket(client, server_side=True) as wrapped:
                    wrapped.recv(1)

        thread = threading.Thread(target=shake_hands, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)


async def test_a_server_that_nobody_vouches_for_is_not_asked_again(face: str, tmp_path: Path) -> None:
    with over_tls(tmp_path) as url:
        async with client_of(face, url) as client:
            with pytest.raises(Unreachable, match="unable to get local issuer certificate") as unreachable:
                await client.page("news")
            assert not unreachable.value.is_passing
            follower = client.follow("news", cursor="0" * 26)
            with pytest.raises(Unreachable, match="unable to get local issuer certificate"):
                await anext(follower)
