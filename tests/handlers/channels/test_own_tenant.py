"""What an API key says of itself: its tenant, its APIs, and the channels that it reads."""

from broker.api_keys import KeyRequest
from tests.broker_server import API, BrokerServer

TENANT = f"{API}/tenant"


async def told(server: BrokerServer, request: KeyRequest) -> object:
    key, _ = await server.broker.api_keys.create(request)
    answer = await server.http.get(TENANT, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "private, no-store"
    return answer.json()


async def test_a_key_is_told_its_tenant_and_the_channels_of_its_apis(broker_server: BrokerServer) -> None:
    assert await told(broker_server, KeyRequest("acme", ("cuey", "live"))) == {
        "tenant": "acme",
        "scopes": ["cuey", "live"],
        "agent": None,
        "channels": ["live-team-acme", "cuey-team-acme"],
    }


async def test_a_key_of_one_agent_reads_no_channel(broker_server: BrokerServer) -> None:
    shown = await told(broker_server, KeyRequest("acme", ("calendar",), agent="agt_0000000000000a"))
    assert shown == {"tenant": "acme", "scopes": ["calendar"], "agent": "agt_0000000000000a", "channels": []}


async def test_a_channel_token_has_no_tenant(broker_server: BrokerServer) -> None:
    assert (await broker_server.http.get(TENANT, headers=broker_server.bearer("admin"))).status_code == 403
    assert (await broker_server.http.get(TENANT)).status_code == 401
