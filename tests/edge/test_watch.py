"""The watch poll through real caches: one request an interval for all viewers, and nobody's view is another's."""

import asyncio
from typing import Any

from broker.api_keys import KeyRequest
from tests.edge.edges import Edge

PREFIX = "/v1/live-events"
VIEWERS = 100


async def key_of(edge: Edge, tenant: str) -> dict[str, str]:
    text, _ = await edge.server.broker.api_keys.create(KeyRequest(tenant, ("live",)))
    return {"Authorization": f"Bearer {text}"}


async def create(edge: Edge, headers: dict[str, str], **settings: Any) -> tuple[str, str]:
    """The path of a new event that is live, and that of what viewers poll."""
    body = {"name": "Town hall", "slug": edge.channel, **settings}
    made = await edge.server.http.post(f"{PREFIX}/events", json=body, headers=headers)
    assert made.status_code == 201, made.text
    path = f"{PREFIX}/events/{made.json()['event_id']}"
    assert (await edge.server.http.post(f"{path}/live/start", headers=headers)).status_code == 200
    return path, f"{PREFIX}/watch/{edge.channel}"


def asked(edge: Edge, path: str) -> int:
    return sum(each.target.startswith(path) for each in edge.origin.asked)


async def test_all_viewers_of_an_interval_cost_one_request(edge: Edge) -> None:
    _, watch = await create(edge, await key_of(edge, "acme"))
    before = asked(edge, watch)
    answers = await asyncio.gather(*(edge.http.get(watch) for _ in range(VIEWERS)))
    assert {each.json()["watch_state"] for each in answers} == {"live"}
    # One an interval; on a slow machine all of them take more than one.
    assert 1 <= asked(edge, watch) - before <= VIEWERS // 4
    known = await edge.http.get(watch, headers={"If-None-Match": answers[0].headers["ETag"]})
    assert known.status_code == 304


async def test_what_a_member_sees_is_served_to_no_other(edge: Edge) -> None:
    member, rival = await key_of(edge, "acme"), await key_of(edge, "rival")
    _, watch = await create(edge, member, visibility_mode="tenant_only")
    own = {"X-API-Key": member["Authorization"].removeprefix("Bearer ")}

    async def seen(headers: dict[str, str]) -> str:
        return str((await edge.http.get(watch, headers=headers)).json()["watch_state"])

    for _ in range(2):
        assert [await seen(each) for each in (member, own)] == ["live", "live"]
        assert [await seen(each) for each in ({}, rival, {"X-API-Key": "YOUR_API_KEY"})] == ["access_required"] * 3
        assert [await seen(each) for each in (own, {}, member)] == ["live", "access_required", "live"]


async def test_what_is_proved_and_used_is_kept_nowhere(edge: Edge) -> None:
    _, watch = await create(edge, await key_of(edge, "acme"), visibility_mode="password", password="s3cret")
    for _ in range(2):
        answer = await edge.http.post(f"{watch}/verify-password", json={"password": "s3cret"})
        assert answer.json()["watch_state"] == "live" and answer.headers["Cache-Control"] == "no-store"
    assert (await edge.http.post(f"{watch}/verify-password", json={"password": "x"})).status_code == 403
    assert asked(edge, f"{watch}/verify-password") == 3
