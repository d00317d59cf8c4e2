"""The admin listener: no token for programs of this machine, nothing for web pages, and its own bounds."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from pydantic import ValidationError

from broker.config import ServerSettings
from handlers.admin_listener import bind_admin
from handlers.listening import CannotListen
from tests.broker_server import BrokerServer, running_broker
from tests.exposition import Exposition


@dataclass
class Administered:
    """A broker, and a client of its admin listener."""

    server: BrokerServer
    admin: httpx2.AsyncClient
    port: int


@pytest.fixture
async def administered(engine_url: str, tmp_path: Path) -> AsyncIterator[Administered]:
    """A broker that takes one connection only, with an admin listener."""
    sockets = bind_admin("127.0.0.1:0")
    port = sockets[0].getsockname()[1]
    narrow = {"limits": {"connections": 1}}
    async with (
        running_broker(engine_url, tmp_path / "key.json", narrow, admin=sockets) as server,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as admin,
    ):
        yield Administered(server, admin, port)


async def test_metrics_and_health_need_no_token(administered: Administered) -> None:
    metrics = await administered.admin.get("/metrics")
    assert Exposition(metrics.text).value("tidemark_processes") == 1
    assert "Access-Control-Allow-Origin" not in metrics.headers
    for path in ("/readyz", "/healthz"):
        assert (await administered.admin.get(path)).json() == {"ok": True}


async def test_metrics_need_the_admin_scope_on_the_servers_own_address(administered: Administered) -> None:
    server = administered.server
    assert (await server.http.get("/metrics")).status_code == 401
    assert (await server.http.get("/metrics", headers=server.bearer("sub:*"))).status_code == 403
    assert (await server.http.get("/metrics", headers=server.bearer("admin"))).status_code == 200


async def test_the_api_is_not_there(administered: Administered) -> None:
    for path in ("/api/v1/channels", "/openapi.json", "/docs", "/static/docs.html"):
        answer = await administered.admin.get(path)
        assert answer.status_code == 404
        assert answer.json() == {"error": "Not Found"}
    assert (await administered.admin.post("/metrics")).status_code == 405


async def test_it_answers_while_the_server_is_full(administered: Administered) -> None:
    assert (await administered.server.http.get("/healthz")).status_code == 200  # keeps the only connection
    async with httpx2.AsyncClient(base_url=administered.server.url, trust_env=False) as another:
        assert (await another.get("/healthz")).status_code == 503
    found = Exposition((await administered.admin.get("/metrics")).text)
    assert found.value("tidemark_connections_open") == 1
    assert found.value("tidemark_edge_refusals_total", kind="connections_full") == 1


async def test_it_answers_while_the_server_drains(administered: Administered) -> None:
    administered.server.drain.begin()
    assert Exposition((await administered.admin.get("/metrics")).text).value("tidemark_draining_processes") == 1
    refused = await administered.admin.get("/readyz")
    assert refused.status_code == 503
    assert (await administered.admin.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "evil.example:9001"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "10.0.0.1"},
        {"Host": "[::2]"},
    ],
)
async def test_what_a_web_page_can_send_is_refused(administered: Administered, headers: dict[str, str]) -> None:
    answer = await administered.admin.get("/metrics", headers=headers)
    assert answer.status_code == 403
    assert "tidemark_" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9001", "127.0.0.1", "127.1.2.3:80", "[::1]:9001"])
async def test_names_of_this_machine_are_taken(administered: Administered, host: str) -> None:
    assert (await administered.admin.get("/metrics", headers={"Host": host})).status_code == 200


def test_a_port_in_use_is_told_before_anything_is_started() -> None:
    [bound] = bind_admin("127.0.0.1:0")
    with bound:
        bound.listen()
        with pytest.raises(CannotListen, match="in use"):
            bind_admin(f"127.0.0.1:{bound.getsockname()[1]}")


@pytest.mark.parametrize("address", ["", "127.0.0.1:9001", "localhost:9001", "[::1]:9001", "127.9.9.9:1"])
def test_loopback_addresses_are_taken(address: str) -> None:
    assert ServerSettings(admin_listen=address).admin_listen == address


OPEN = ("0.0.0.0:9001", "[::]:9001", "10.0.0.1:9001", "example.com:9001")
MALFORMED = ("127.0.0.1", ":9001", "9001", "127.0.0.1:65536", "127.0.0:9001", "[::1]", "::1:9001", "127.0.0.1:9001 ")


@pytest.mark.parametrize("address", [*OPEN, *MALFORMED, "http://127.0.0.1:9001"])
def test_an_address_that_others_reach_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="admin_listen"):
        ServerSettings(admin_listen=address)
