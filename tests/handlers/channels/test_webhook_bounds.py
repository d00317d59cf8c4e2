"""What a registration of a webhook may say, where it may point, and how many there may be (contract section 10)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.broker_server import API, BrokerServer, running_broker
from tests.handlers.channels.webhook_calls import URL, WEBHOOKS, listed, post, registered


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    await broker_server.create("secret", is_public=False)
    return broker_server


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"url":7}',
        b'{"url":"x"}',
        b'{"url":"\\ud800"}',
        b'{"url":"https://a.example/\\u0000"}',
        b'{"url":"https://a.example/","ttl_seconds":NaN}',
        b'{"url":"https://a.example/","ttl_seconds":1e999}',
        b'{"url":"https://a.example/","ttl_seconds":0}',
        b'{"url":"https://a.example/","ttl_seconds":-5}',
        b'{"url":"https://a.example/","ttl_seconds":"60"}',
        b'{"url":"https://a.example/","event_types":"a"}',
        b'{"url":"https://a.example/","event_types":[null]}',
        b'{"url":"https://a.example/","event_types":["%b"]}' % (b"x" * 257),
        b'{"url":"https://a.example/","event_types":[%b]}' % b",".join([b'"%d"' % number for number in range(33)]),
        b'{"url":"https://a.example/%b"}' % (b"x" * 2_048),
        b'{"url":"https://a.example/","x":' + b"[" * 200 + b"]" * 200 + b"}",
    ],
)
async def test_a_bad_body_is_400_and_registers_nothing(server: BrokerServer, body: bytes) -> None:
    answer = await server.http.post(WEBHOOKS, content=body)
    assert (answer.status_code, next(iter(answer.json()))) == (400, "error")
    assert await listed(server, server.bearer("admin")) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/",
        "http://127.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://metadata.google.internal/",
        "ftp://a.b/",
    ],
)
async def test_a_url_that_is_not_public_is_refused(server: BrokerServer, url: str) -> None:
    answer = await post(server, url=url)
    assert (answer.status_code, answer.json()["error"]) == (400, "Webhook URL must be a public HTTP(S) endpoint")


async def test_a_body_over_the_limit_is_413(server: BrokerServer) -> None:
    answer = await server.http.post(WEBHOOKS, content=b" " * 1_048_577)
    assert (answer.status_code, "error" in answer.json()) == (413, True)


async def test_an_address_without_a_token_may_register_three(server: BrokerServer) -> None:
    for number in range(3):
        await registered(server, url=f"{URL}/{number}")
    refused = await post(server, url=URL)
    assert (refused.status_code, "error" in refused.json()) == (429, True)
    await registered(server, url=f"{URL}/0", ttl_seconds=5)
    await registered(server, headers=server.bearer("sub:news", sub="ann"))
    await server.create("other")
    await registered(server, f"{API}/channels/other/webhooks")


async def test_a_forwarded_address_is_not_believed_from_a_stranger(server: BrokerServer) -> None:
    answers = [await post(server, headers={"X-Forwarded-For": f"198.51.100.{n}"}, url=f"{URL}/{n}") for n in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]


async def test_behind_a_trusted_proxy_each_client_has_its_own_limit(engine_url: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"server": {"trusted_proxies": ["127.0.0.0/8"]}, "webhooks": {"per_address": 1}}
    async with running_broker(engine_url, tmp_path / "key.json", settings) as server:
        await server.create("news")
        steps = (
            ("198.51.100.1", 201),
            ("198.51.100.2", 201),
            ("10.0.0.1, 198.51.100.1", 429),
            ("2001:db8::1", 201),
            ("2001:db8::2", 429),
            ("2001:db8:0:1::1", 201),
        )
        for number, (address, status) in enumerate(steps):
            answer = await post(server, headers={"X-Forwarded-For": address}, url=f"{URL}/{number}")
            assert answer.status_code == status, address


async def test_where_it_is_configured_so_nobody_registers_without_a_token(engine_url: str, tmp_path: Path) -> None:
    async with running_broker(engine_url, tmp_path / "key.json", {"webhooks": {"anonymous": False}}) as server:
        await server.create("news")
        answer = await post(server, url=URL)
        assert (answer.status_code, answer.json()["error"]) == (401, "Missing or invalid Authorization header")
        await registered(server, headers=server.bearer("sub:x"))


async def test_opened_networks_may_be_pointed_at(engine_url: str, tmp_path: Path) -> None:
    async with running_broker(engine_url, tmp_path / "key.json", {"outbound": {"allow": ["127.0.0.0/8"]}}) as server:
        await server.create("news")
        await registered(server, url="http://127.0.0.1:9000/hook")
        assert (await post(server, url="http://10.0.0.1/")).status_code == 400


async def test_concurrent_registrations_on_two_brokers_never_exceed_the_limit(
    server: BrokerServer, engine_url: str, tmp_path: Path
) -> None:
    async with running_broker(engine_url, tmp_path / "signing_key.json") as other:
        answers = await asyncio.gather(
            *[
                post((server, other)[n % 2], headers=server.bearer("sub:news", sub=str(n % 5)), url=f"{URL}/{n}")
                for n in range(40)
            ]
        )
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(201), statuses.count(429)) == (10, 30)
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert set(await listed(server, server.bearer("admin"))) == made
