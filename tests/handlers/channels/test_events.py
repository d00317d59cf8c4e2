"""One event: get, delete, replies and threads."""

import pytest

from tests.broker_server import API, BrokerServer

EVENTS = f"{API}/channels/news/events"


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    return broker_server


@pytest.mark.parametrize("event_id", ["x", "01HZQX5K9V6BMRJ3WYAT0GN1PI", "01HZQX5K9V6BMRJ3WYAT0GN1PH"])
async def test_an_id_that_names_nothing_here_is_404(server: BrokerServer, event_id: str) -> None:
    assert (await server.http.get(f"{EVENTS}/{event_id}")).status_code == 404


async def test_an_event_is_not_found_in_another_channel(server: BrokerServer) -> None:
    await server.create("other")
    event = (await server.publish("other", 1))[0]
    assert (await server.http.get(f"{EVENTS}/{event['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("scope", "sub", "status"),
    [
        ("pub:news", "tests", 204),
        ("admin", None, 204),
        ("pub:news", "you", 403),
        ("pub:news", None, 403),
        ("sub:news", "tests", 403),
    ],
)
async def test_an_event_is_deleted_by_its_publisher_or_an_admin(
    server: BrokerServer, scope: str, sub: str | None, status: int
) -> None:
    path = f"{EVENTS}/{(await server.publish('news', 1))[0]['id']}"
    assert (await server.http.delete(path, headers=server.bearer(scope, sub=sub))).status_code == status
    assert (await server.http.get(path)).status_code == (404 if status == 204 else 200)


async def test_deleting_twice_is_404(server: BrokerServer) -> None:
    path = f"{EVENTS}/{(await server.publish('news', 1))[0]['id']}"
    statuses = [(await server.http.delete(path, headers=server.bearer("admin"))).status_code for _ in range(2)]
    assert statuses == [204, 404]


async def test_replies_are_direct_and_a_thread_is_all_descendants(server: BrokerServer) -> None:
    root = (await server.publish("news", "root"))[0]
    one, two = await server.publish("news", "one", "two", reply_to=root["id"])
    deep = (await server.publish("news", "deep", reply_to=one["id"]))[0]
    path = f"{EVENTS}/{root['id']}"
    assert (await server.http.get(f"{path}/replies")).json() == {"events": [one, two]}
    assert (await server.http.get(f"{path}/thread")).json() == {"events": [one, two, deep]}
    assert (await server.http.get(f"{EVENTS}/nothing/thread")).json() == {"events": []}
    assert one["reply_to"] == root["id"]
