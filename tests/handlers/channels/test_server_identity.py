"""Who runs the server: `/server` over HTTP (contract section 11)."""

import asyncio
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.broker_server import API, BrokerServer, running_broker
from tests.handlers.conftest import OVERRIDES

SERVER = f"{API}/server"


async def put(server: BrokerServer, body: Any) -> tuple[int, Any]:
    answer = await server.http.put(SERVER, json=body, headers=server.bearer("admin"))
    return answer.status_code, answer.json()


async def shown(server: BrokerServer) -> Any:
    answer = await server.http.get(SERVER)
    assert answer.status_code == 200
    return answer.json()


async def test_a_new_server_shows_defaults_to_everybody(broker_server: BrokerServer) -> None:
    assert await shown(broker_server) == {
        "name": "Zooid",
        "description": None,
        "tags": [],
        "owner": None,
        "company": None,
        "email": None,
        "updated_at": None,
    }


async def test_named_fields_change_and_null_clears(broker_server: BrokerServer) -> None:
    status, first = await put(broker_server, {"name": "Hub", "owner": "alice", "email": "a@b.c", "tags": ["x"]})
    assert status == 200 and first == await shown(broker_server)
    assert abs(datetime.fromisoformat(first["updated_at"]).timestamp() - time.time()) < 60
    _, second = await put(broker_server, {"name": None, "email": None, "company": "Acme"})
    assert second == await shown(broker_server)
    assert second.pop("updated_at") >= first.pop("updated_at")
    assert second == {**first, "name": "Zooid", "email": None, "company": "Acme"}


async def test_the_identity_outlives_the_broker(broker_server: BrokerServer, tmp_path: Path) -> None:
    await put(broker_server, {"name": "Hub"})
    async with running_broker(broker_server.broker.engine.url, tmp_path / "signing_key.json", OVERRIDES) as other:
        assert await shown(other) == await shown(broker_server)


@pytest.mark.parametrize(
    "body",
    [None, [], "x", {"name": ""}, {"name": 1}, {"tags": "x"}, {"email": "nobody"}, {"owner": "a\nb"}],
)
async def test_a_bad_change_is_400_and_changes_nothing(broker_server: BrokerServer, body: Any) -> None:
    status, answer = await put(broker_server, {"company": "Acme", **body} if isinstance(body, dict) else body)
    assert (status, list(answer)) == (400, ["error"])
    assert (await shown(broker_server))["company"] is None


async def test_the_caller_is_checked_before_the_body(broker_server: BrokerServer) -> None:
    for headers, status in (({}, 401), (broker_server.bearer("pub:*", "sub:*"), 403)):
        assert (await broker_server.http.put(SERVER, content=b"{", headers=headers)).status_code == status


async def test_changes_of_different_fields_at_once_are_all_kept(broker_server: BrokerServer) -> None:
    fields = {"name": "Hub", "description": "d", "tags": ["t"], "owner": "o", "company": "c", "email": "a@b.c"}
    answers = await asyncio.gather(*(put(broker_server, {name: value}) for name, value in fields.items()))
    assert {status for status, _ in answers} == {200}
    assert (await shown(broker_server)).items() >= fields.items()
