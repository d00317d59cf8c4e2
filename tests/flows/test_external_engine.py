"""Brokers on an engine that is not theirs: over TCP, over TLS, several on one (design section 3)."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.engines import BOTH, SYSTEM, WHEEL
from tests.external_engine import external_engine
from tests.flows.sockets import next_data
from tests.serve_process import ServeProcess, refused_start, serving


@pytest.mark.parametrize("name", BOTH)
def test_a_broker_serves_from_an_engine_at_a_redis_url_and_finds_its_data_again(tmp_path: Path, name: str) -> None:
    with external_engine(tmp_path / "engine", name) as port:
        url = f"redis://127.0.0.1:{port}/0"
        with serving(tmp_path / "data", {"TIDEMARK_ENGINE__URL": url}) as server:
            server.create("news")
            start = server.tip("news")
            ids = server.publish("news", 1, 2)
            server.kill()
            server.start()
            assert [event["id"] for event in server.events("news", start)] == ids
            assert not (server.data / "engine.sock").exists()


def tls_words(authority: Authority) -> list[str]:
    certificate, key, _ = authority.sign("engine")
    return [
        *("--port", "0", "--tls-port", "{port}", "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", str(authority.file)),
    ]


async def test_an_engine_over_tls_is_trusted_by_the_authority_that_its_url_names(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with external_engine(tmp_path / "engine", SYSTEM, *tls_words(authority)) as port:
        url = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={authority.file}"
        with serving(tmp_path / "data", {"TIDEMARK_ENGINE__URL": url}) as server:
            server.create("news")
            async with server.socket("news") as socket:
                await asyncio.to_thread(server.publish, "news", "over tls")
                assert await next_data(socket) == "over tls", "the live feed is a connection of its own"


def test_an_engine_over_tls_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with external_engine(tmp_path / "engine", SYSTEM, *tls_words(Authority(tmp_path))) as port:
        status, words = refused_start(tmp_path, "--port", "0", TIDEMARK_ENGINE__URL=f"rediss://127.0.0.1:{port}/0")
    assert status == 1
    assert "certificate verify failed" in words


def test_an_engine_that_may_evict_is_refused(tmp_path: Path) -> None:
    words = ("--port", "{port}", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    with external_engine(tmp_path / "engine", WHEEL, *words) as port:
        status, told = refused_start(tmp_path, "--port", "0", TIDEMARK_ENGINE__URL=f"redis://127.0.0.1:{port}/0")
    assert status == 1
    assert "maxmemory-policy noeviction" in told


@contextmanager
def two_brokers(directory: Path) -> Iterator[tuple[ServeProcess, ServeProcess]]:
    """Two brokers with one signing key on one engine."""
    with external_engine(directory / "engine", WHEEL) as port:
        url = f"redis://127.0.0.1:{port}/0"
        with (
            serving(directory / "one", {"TIDEMARK_ENGINE__URL": url}) as one,
            serving(directory / "two", {"TIDEMARK_ENGINE__URL": url}, signing_key=one.signing_key) as two,
        ):
            yield one, two


async def publish_and_hear(publisher: ServeProcess, reader: ServeProcess) -> None:
    async with reader.socket("news") as socket:
        await asyncio.to_thread(publisher.publish, "news", *range(20))
        assert [await next_data(socket) for _ in range(20)] == list(range(20))


async def test_two_brokers_on_one_engine_hear_each_other_live(tmp_path: Path) -> None:
    with two_brokers(tmp_path) as (one, two):
        one.create("news")
        await publish_and_hear(one, two)
        await publish_and_hear(two, one)


async def test_a_reader_goes_on_at_the_other_broker_when_its_own_is_killed(tmp_path: Path) -> None:
    with two_brokers(tmp_path) as (one, two):
        one.create("news")
        async with one.socket("news", cursor=one.tip("news")) as socket:
            await asyncio.to_thread(one.publish, "news", 1)
            cursor = json.loads(await socket.recv())["id"]
            one.kill()
        await asyncio.to_thread(two.publish, "news", 2, 3)
        async with two.socket("news", cursor=cursor) as socket:
            assert [await next_data(socket) for _ in range(2)] == [2, 3]
