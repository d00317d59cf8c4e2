"""`GET /channels`: who sees what, and paging (contract sections 4 and 16)."""

from pathlib import Path
from typing import Any

import pytest

from broker.channels import NewChannel
from tests.broker_server import API, BrokerServer, running_broker

CHANNELS = f"{API}/channels"


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    for channel_id in ("open-a", "open-b"):
        await broker_server.create(channel_id)
    for channel_id in ("team-a", "team-b", "other-a"):
        await broker_server.create(channel_id, is_public=False)
    await broker_server.broker.channels.create(NewChannel("live-watch-x", "Reserved", is_public=True))
    return broker_server


async def listed(server: BrokerServer, query: str = "", headers: dict[str, str] | None = None) -> dict[str, Any]:
    answer = await server.http.get(f"{CHANNELS}{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def ids(page: dict[str, Any]) -> set[str]:
    return {channel["id"] for channel in page["channels"]}


OPEN = {"open-a", "open-b"}


@pytest.mark.parametrize(
    ("scopes", "private"),
    [
        (("pub:team-a",), {"team-a"}),
        (("sub:team-a",), {"team-a"}),
        (("pub:team-*", "sub:open-a"), {"team-a", "team-b"}),
        (("sub:*",), {"team-a", "team-b", "other-a"}),
        (("pub:*",), {"team-a", "team-b", "other-a"}),
        (("admin",), {"team-a", "team-b", "other-a"}),
        (("sub:live-watch-x", "pub:live-*"), set()),
        (("sub:none",), set()),
    ],
)
async def test_a_token_adds_the_private_channels_that_it_may_publish_to_or_read(
    server: BrokerServer, scopes: tuple[str, ...], private: set[str]
) -> None:
    assert ids(await listed(server, headers=server.bearer(*scopes))) == OPEN | private
    assert ids(await listed(server, f"?token={server.token(*scopes)}")) == OPEN | private


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eDp5"}])
async def test_without_a_good_token_public_channels_are_listed(server: BrokerServer, headers: dict[str, str]) -> None:
    assert await listed(server, headers=headers) == {
        "channels": (await listed(server))["channels"],
        "cursor": None,
        "has_more": False,
    }
    assert ids(await listed(server, headers=headers)) == OPEN


async def test_a_listed_channel_says_all_but_its_subscribers(server: BrokerServer) -> None:
    event = (await server.publish("open-a", 1))[0]
    [channel] = [each for each in (await listed(server))["channels"] if each["id"] == "open-a"]
    assert channel == {
        "id": "open-a",
        "name": "open-a",
        "description": None,
        "tags": [],
        "is_public": True,
        "config": None,
        "meta": None,
        "event_count": 1,
        "last_event_id": event["id"],
        "last_event_at": event["created_at"],
        "created_at": channel["created_at"],
    }


async def test_pages_put_together_are_the_list(server: BrokerServer) -> None:
    headers = server.bearer("admin")
    whole = await listed(server, headers=headers)
    assert (len(whole["channels"]), whole["has_more"], whole["cursor"]) == (5, False, None)
    together: list[Any] = []
    page = await listed(server, "?limit=2", headers)
    while True:
        together += page["channels"]
        if not page["has_more"]:
            break
        assert len(page["channels"]) == 2
        page = await listed(server, f"?limit=2&cursor={page['cursor']}", headers)
    assert together == whole["channels"]


async def test_the_newest_comes_first_also_when_it_was_created_again(server: BrokerServer) -> None:
    await server.broker.channels.delete("open-a")
    await server.create("open-a")
    assert [channel["id"] for channel in (await listed(server))["channels"]] == ["open-a", "open-b"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=x", "limit=", "cursor=", "cursor=x", "cursor=open-a", "limit=1&limit=2"],
)
async def test_a_malformed_query_is_400(server: BrokerServer, query: str) -> None:
    answer = await server.http.get(f"{CHANNELS}?{query}")
    assert (answer.status_code, "error" in answer.json()) == (400, True)


async def test_a_list_is_never_cached(server: BrokerServer) -> None:
    assert (await server.http.get(CHANNELS)).headers["Cache-Control"] == "no-store"
    answer = await server.http.get(CHANNELS, headers=server.bearer("admin"))
    assert answer.headers["Cache-Control"] == "private, no-store"


async def test_a_channel_turned_private_or_deleted_leaves_the_list_at_once(server: BrokerServer) -> None:
    headers = server.bearer("admin")
    await server.http.patch(f"{CHANNELS}/open-a", json={"is_public": False}, headers=headers)
    assert ids(await listed(server)) == {"open-b"}
    await server.http.patch(f"{CHANNELS}/team-a", json={"is_public": True}, headers=headers)
    await server.http.delete(f"{CHANNELS}/open-b", headers=headers)
    assert ids(await listed(server)) == {"team-a"}
    assert ids(await listed(server, headers=headers)) == {"open-a", "team-a", "team-b", "other-a"}


async def test_those_who_ask_for_no_page_get_the_largest(engine_url: str, tmp_path: Path) -> None:
    limits = {"limits": {"page_channels": 3, "channels": 5}}
    async with running_broker(engine_url, tmp_path / "key.json", limits) as server:
        for i in range(5):
            await server.create(f"channel-{i}")
        page = await listed(server)
        assert (len(page["channels"]), page["has_more"]) == (3, True)
        assert (await server.http.get(f"{CHANNELS}?limit=4")).status_code == 400
        body = {"id": "channel-5", "name": "One too many"}
        answer = await server.http.post(CHANNELS, json=body, headers=server.bearer("admin"))
        assert (answer.status_code, "error" in answer.json()) == (429, True)
