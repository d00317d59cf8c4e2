"""docs/operations.md tells the truth: its commands work, its settings serve, and what it shows is what comes."""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
import yaml  # type: ignore[import-untyped]
from redis import Redis
from websockets.asyncio.client import connect

from broker.config_sources import load_settings
from tests.certificates import Authority
from tests.docs.blocks import Blocks, holds, runs
from tests.docs.shells import Session, session, shell, until
from tests.exposition import Exposition
from tests.serve_process import API, free_port


@pytest.fixture(scope="module")
def admin_port() -> int:
    """Where the page's server has its admin listener."""
    return free_port()


@pytest.fixture(scope="module")
def page(admin_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A server with an admin listener and a public channel, and a shell beside it."""
    listener = {"TIDEMARK_SERVER__ADMIN_LISTEN": f"127.0.0.1:{admin_port}"}
    with session(tmp_path_factory.mktemp("operations"), listener) as opened:
        opened.server.create("news")
        yield opened


@runs("docs/operations.md#metrics", "sh", "yaml")
def test_metrics_are_answered_to_a_token_and_to_what_scrapes_the_admin_listener(
    page: Session, admin_port: int, blocks: Blocks
) -> None:
    asking, config = blocks
    assert Exposition(page.type(asking)).value("tidemark_processes") == 1
    [job] = yaml.safe_load(config.text)["scrape_configs"]
    [target] = job["static_configs"][0]["targets"]
    assert target == "127.0.0.1:9001"
    answer = httpx2.get(f"http://127.0.0.1:{admin_port}/metrics", trust_env=False)
    assert answer.status_code == 200 and Exposition(answer.text).value("tidemark_processes") == 1


@holds("docs/operations.md#who-reads-a-channel", "json")
async def test_three_readers_are_told_as_shown(page: Session, blocks: Blocks) -> None:
    [shown] = blocks
    server = page.server
    words = ("token", "--data", str(server.data), "--scope", "sub:news", "--sub", "ann", "--name", "Ann")
    ann = {"Authorization": f"Bearer {(await asyncio.to_thread(server.run, *words)).stdout.strip()}"}
    async with AsyncExitStack() as sockets:
        for headers in (ann, ann, {}):
            url = f"ws://127.0.0.1:{server.port}{API}/channels/news/ws"
            await sockets.enter_async_context(connect(url, proxy=None, additional_headers=headers))
        answer = await asyncio.to_thread(server.ask, "GET", "/channels/news/presence")
    page.check(shown, answer.text)


@holds("docs/operations.md#logs", "json")
def test_a_refusal_is_logged_as_shown(page: Session, blocks: Blocks) -> None:
    [shown] = blocks
    server = page.server
    with Redis(unix_socket_path=str(server.data / "engine.sock")) as engine:
        engine.config_set("maxmemory", 1)
        try:
            assert server.ask("POST", "/channels/news/events", json={"data": 1}).status_code == 503
        finally:
            engine.config_set("maxmemory", 0)
    until(lambda: re.search(r"tidemark\.access.*\n", server.log.read_text()), server.log.read_text)
    [line] = [line for line in server.log.read_text().splitlines() if '"tidemark.access"' in line]
    page.check(shown, line)
    assert list(json.loads(line)) == list(json.loads(shown.text))


@runs("docs/operations.md#tls", "toml")
def test_a_server_with_these_settings_speaks_tls(tmp_path: Path, blocks: Blocks) -> None:
    [settings] = blocks
    authority, config, port = Authority(tmp_path), tmp_path / "tidemark.toml", free_port()
    certificate, key, _ = authority.sign()
    own = settings.text.replace("/etc/tidemark/fullchain.pem", str(certificate))
    own = own.replace("/etc/tidemark/privkey.pem", str(key))
    config.write_text(own)
    told = load_settings(config, {}).server
    assert (told.host, told.port, told.public_url) == ("0.0.0.0", 8443, "https://events.example.com")
    config.write_text(own.replace("0.0.0.0", "127.0.0.1"))
    with shell(tmp_path, port) as bash:
        log = bash.type("./run serve --config tidemark.toml", goes_on=True)
        until(lambda: is_ready(f"https://127.0.0.1:{port}", authority), log.read_text)


def is_ready(url: str, authority: Authority) -> bool:
    """Whether the server answers so, with a certificate of this authority."""
    try:
        return httpx2.get(f"{url}/readyz", verify=authority.client(), trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


@runs("docs/operations.md#api-keys", "sh")
def test_keys_are_made_listed_and_revoked(page: Session, blocks: Blocks) -> None:
    [commands] = blocks
    lines = [line for line in page.type(commands).splitlines() if not line.startswith("Made ")]
    lifecycle, calendar, *listed, revoked = lines
    assert lifecycle.startswith("tm_") and calendar.startswith("chr_ak_")
    assert {re.split(r"  +", line)[3] for line in listed} == {"lifecycle", "calendar agent a1"}
    assert revoked.split("  ")[0] in [line.split("  ")[0] for line in listed] and " revoked " in revoked
    key = lifecycle if " lifecycle " in revoked else calendar
    refused = page.server.ask("GET", "/tenant", headers={"Authorization": f"Bearer {key}"})
    assert refused.status_code == 401


@runs("docs/operations.md#timers", "sh", "text")
def test_what_will_fire_is_shown(page: Session, blocks: Blocks) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = page.server.ask("POST", "/channels/news/events", json={"data": 1, "publish_at": tomorrow})
    assert answer.status_code == 202
    page.all(blocks)
