"""Calls that manage channels, as an admin makes them."""

from typing import Any

from tests.broker_server import API, BrokerServer

CHANNELS = f"{API}/channels"
NEWS = f"{CHANNELS}/news"
ALERT = {"type": "object", "properties": {"level": {"type": "integer"}}, "required": ["level"]}
STRICT = {"strict_types": True, "types": {"alert": {"schema": ALERT}}}


async def ask(server: BrokerServer, method: str, path: str, body: Any = None, scope: str = "admin") -> Any:
    """The answer to an admin, or to who has another scope."""
    return await server.http.request(method, path, json=body, headers=server.bearer(scope))


async def created(server: BrokerServer, **fields: Any) -> Any:
    """The answer to the creation of the channel `fresh`."""
    return await ask(server, "POST", CHANNELS, {"id": "fresh", "name": "Fresh", **fields})


async def shown(server: BrokerServer, path: str = NEWS) -> dict[str, Any]:
    """The channel, as it is shown to an admin."""
    answer = await server.http.get(path, headers=server.bearer("admin"))
    assert answer.status_code == 200, answer.text
    channel: dict[str, Any] = answer.json()
    return channel
