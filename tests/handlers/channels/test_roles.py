"""`/api/v1` itself, and the roles of the configuration (contract section 1)."""

from pathlib import Path

from tests.broker_server import API, BrokerServer, running_broker

ROLES = {"editor": ["pub:news-*", "sub:*"], "auditor": ["sub:*"], "nobody": []}


async def test_the_api_says_that_it_is_here_and_only_without_a_slash(broker_server: BrokerServer) -> None:
    answer = await broker_server.http.get(API)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert (await broker_server.http.get(f"{API}/")).status_code == 404


async def test_an_admin_sees_the_roles_of_the_configuration(engine_url: str, tmp_path: Path) -> None:
    async with running_broker(engine_url, tmp_path / "key.json", {"auth": {"roles": ROLES}}) as server:
        answer = await server.http.get(f"{API}/roles", headers=server.bearer("admin"))
        assert (answer.status_code, answer.json()) == (
            200,
            {"roles": [{"id": name, "scopes": scopes} for name, scopes in ROLES.items()]},
        )
        assert (await server.http.get(f"{API}/roles", headers=server.bearer("sub:*"))).status_code == 403


async def test_without_roles_the_list_is_empty(broker_server: BrokerServer) -> None:
    answer = await broker_server.http.get(f"{API}/roles", headers=broker_server.bearer("admin"))
    assert answer.json() == {"roles": []}
