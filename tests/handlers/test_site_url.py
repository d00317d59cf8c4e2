"""The URL that a server tells of itself: the configured one, else the address and scheme of the connection."""

from pathlib import Path
from typing import Any

import pytest

from tests.broker_server import API, running_broker
from tests.certificates import Authority


async def told(engine_url: str, folder: Path, **server: Any) -> tuple[str, int]:
    """What a feed links to, asked by somebody who writes another Host."""
    authority = Authority(folder)
    certificate, key, _ = authority.sign()
    files = {"tls_certificate": str(certificate), "tls_key": str(key)} if server.pop("is_secure", False) else {}
    settings = {"server": {**server, **files}}
    async with running_broker(engine_url, folder / "key.json", settings, trusts=authority.client()) as broker:
        await broker.create("news")
        answer = await broker.http.get(f"{API}/channels/news/feed.json", headers={"Host": "elsewhere.example"})
        return str(answer.json()["feed_url"]).partition(API)[0], broker.port


@pytest.mark.parametrize(("is_secure", "scheme"), [(False, "http"), (True, "https")])
async def test_without_a_public_url_it_is_where_the_connection_arrived(
    engine_url: str, tmp_path: Path, is_secure: bool, scheme: str
) -> None:
    url, port = await told(engine_url, tmp_path, is_secure=is_secure)
    assert url == f"{scheme}://127.0.0.1:{port}"


async def test_a_public_url_is_what_is_told(engine_url: str, tmp_path: Path) -> None:
    url, _ = await told(engine_url, tmp_path, public_url="https://events.example.com", is_secure=True)
    assert url == "https://events.example.com"
