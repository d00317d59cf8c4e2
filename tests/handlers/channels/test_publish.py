"""Publishing over HTTP: statuses, order of checks, all or nothing (contract section 3)."""

import asyncio
from typing import Any

import pytest

from tests.broker_server import API, BrokerServer

EVENTS = f"{API}/channels/news/events"


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    return broker_server


async def post(server: BrokerServer, body: bytes, path: str = EVENTS, **headers: str) -> Any:
    return await server.http.post(path, content=body, headers={**server.bearer("pub:*", sub="me"), **headers})


async def test_a_single_event_is_answered_as_it_is_stored(server: BrokerServer) -> None:
    answer = await post(server, b'{"type":"price","data":{"a":67500.0},"meta":"{ x }","extra":1}')
    event = answer.json()
    assert answer.status_code == 201
    assert (event["channel_id"], event["type"], event["data"], event["meta"]) == (
        "news",
        "price",
        {"a": 67500.0},
        "{ x }",
    )
    assert event["publisher_id"] == "me"
    assert (await server.http.get(f"{EVENTS}/{event['id']}")).content == answer.content


async def test_meta_as_an_object_comes_back_as_compact_text(server: BrokerServer) -> None:
    assert (await post(server, b'{"data":1,"meta":{"a": [1, 2]}}')).json()["meta"] == '{"a":[1,2]}'


async def test_a_batch_is_answered_in_order_with_rising_ids(server: BrokerServer) -> None:
    events = (await post(server, b'{"events":[{"data":1},{"data":2},{"data":3}]}')).json()["events"]
    assert [event["data"] for event in events] == [1, 2, 3]
    assert sorted(event["id"] for event in events) == [event["id"] for event in events]


async def test_an_empty_batch_stores_nothing(server: BrokerServer) -> None:
    answer = await post(server, b'{"events":[]}')
    assert (answer.status_code, answer.json()) == (201, {"events": []})


@pytest.mark.parametrize("data", [b"null", b"0", b"false", b'""', b"12345678901234567890123", b"[[]]", b'"\\u0000"'])
async def test_every_json_value_is_data_and_comes_back_exactly(server: BrokerServer, data: bytes) -> None:
    answer = await post(server, b'{"data":%b}' % data)
    assert answer.status_code == 201
    assert b'"data":%b,' % data in answer.content


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"data":NaN}', 400),
        (b'{"data":"\\ud800"}', 400),
        (b'{"data":' + b"[" * 200 + b"]" * 200 + b"}", 400),
        (b'{"data":1,"type":7}', 400),
        (b'{"data":1,"type":"%b"}' % (b"t" * 257), 400),
        (b'{"data":1,"meta":7}', 400),
        (b'{"data":1,"reply_to":"x"}', 400),
        (b'{"data":1,"reply_to":"01HZQX5K9V6BMRJ3WYAT0GN1PH"}', 400),
        (b'{"events":[{"data":1},{}]}', 400),
        (b'{"events":[{"data":1},7]}', 400),
        (b'{"events":[%b]}' % b",".join([b'{"data":1}'] * 101), 400),
        (b'{"data":"%b"}' % (b"x" * 65_535), 413),
        (b'{"data":1,"meta":"%b"}' % (b"x" * 16_385), 413),
    ],
)
async def test_bad_bodies_are_refused_and_nothing_is_stored(server: BrokerServer, body: bytes, status: int) -> None:
    answer = await post(server, body)
    assert (answer.status_code, next(iter(answer.json()))) == (status, "error")
    assert (await server.http.get(EVENTS)).json()["events"] == []


async def test_data_of_exactly_64_kb_is_taken(server: BrokerServer) -> None:
    assert (await post(server, b'{"data":"%b"}' % (b"x" * 65_534))).status_code == 201


async def test_a_body_over_the_limit_is_refused_before_it_is_read_whole(server: BrokerServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"POST {EVENTS} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n"
    writer.write(f"{head}Authorization: {server.bearer('pub:*')['Authorization']}\r\n\r\nabc".encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.close()


async def test_who_sends_a_body_over_the_limit_at_once_reads_the_refusal(server: BrokerServer) -> None:
    """And not a reset that destroys it: the rest of the body is read and dropped, for a bounded time."""
    answer = await post(server, b"x" * 20_000_000)
    assert (answer.status_code, "over 8388608 bytes" in answer.json()["error"]) == (413, True)


@pytest.mark.parametrize(
    ("headers", "status", "error"),
    [
        ({}, 401, "Missing or invalid Authorization header"),
        ({"Authorization": "Bearer x.y.z"}, 401, "Invalid or expired token"),
    ],
)
async def test_without_a_good_token_the_body_is_not_looked_at(
    server: BrokerServer, headers: dict[str, str], status: int, error: str
) -> None:
    answer = await server.http.post(EVENTS, content=b"{", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_the_scope_is_checked_before_the_channel(server: BrokerServer) -> None:
    for channel, scope, status in (("none", "sub:*", 403), ("none", "pub:*", 404), ("news", "sub:news", 403)):
        path = f"{API}/channels/{channel}/events"
        answer = await server.http.post(path, content=b"{", headers=server.bearer(scope))
        assert answer.status_code == status, (channel, scope)


async def test_a_token_in_the_query_does_not_publish(server: BrokerServer) -> None:
    answer = await server.http.post(f"{EVENTS}?token={server.token('pub:*')}", content=b'{"data":1}')
    assert answer.status_code == 401


async def test_the_same_key_answers_the_same_and_stores_once(server: BrokerServer) -> None:
    first, second = [await post(server, b'{"data":1}', **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert first.content == second.content
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len((await server.http.get(EVENTS)).json()["events"]) == 1


async def test_the_same_key_with_another_body_is_422(server: BrokerServer) -> None:
    await post(server, b'{"data":1}', **{"Idempotency-Key": "k"})
    assert (await post(server, b'{"data":2}', **{"Idempotency-Key": "k"})).status_code == 422


async def test_the_same_key_of_another_caller_is_another_key(server: BrokerServer) -> None:
    await post(server, b'{"data":1}', **{"Idempotency-Key": "k"})
    headers = {**server.bearer("pub:*", sub="you"), "Idempotency-Key": "k"}
    answer = await server.http.post(EVENTS, content=b'{"data":2}', headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("key", ["x" * 129, ""])
async def test_a_bad_idempotency_key_is_400(server: BrokerServer, key: str) -> None:
    assert (await post(server, b'{"data":1}', **{"Idempotency-Key": key})).status_code == 400


STRICT = {
    "strict_types": True,
    "types": {"price": {"schema": {"type": "object", "properties": {"v": {"type": "number"}}, "required": ["v"]}}},
}


async def test_a_strict_channel_takes_only_what_matches_its_types(broker_server: BrokerServer) -> None:
    await broker_server.create("strict", config=STRICT)
    path = f"{API}/channels/strict/events"
    for body, status, error in (
        (b'{"type":"price","data":{"v":1}}', 201, None),
        (b'{"data":{"v":1}}', 400, "Event must have a type when publishing to a strict channel"),
        (b'{"type":"x","data":1}', 400, 'Unknown event type "x". Allowed types: price'),
        (b'{"events":[{"type":"price","data":{"v":1}},{"type":"price","data":{"v":"1"}}]}', 400, None),
    ):
        answer = await post(broker_server, body, path)
        assert answer.status_code == status
        assert error is None or answer.json()["error"] == error
    assert len((await broker_server.http.get(path)).json()["events"]) == 1
