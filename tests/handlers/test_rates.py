"""Rate limits at the door: 429 with Retry-After by address, by token and by channel."""

from pathlib import Path

from broker.api_keys import KeyRequest
from tests.broker_server import API, running_broker


def limited(name: str) -> dict[str, dict[str, object]]:
    return {"rates": {f"{name}_per_s": 0.01, f"{name}_burst": 2}}


async def test_an_address_that_sends_too_many_requests_is_refused_but_for_health(
    engine_url: str, tmp_path: Path
) -> None:
    async with running_broker(engine_url, tmp_path / "key.json", limited("requests_per_address")) as server:
        statuses = [(await server.http.get("/openapi.json")).status_code for _ in range(3)]
        refused = await server.http.get("/openapi.json")
        assert statuses == [200, 200, 429]
        assert refused.json() == {"error": "Too many requests per address"}
        assert int(refused.headers["Retry-After"]) >= 90
        assert refused.headers["Cache-Control"] == "no-store"
        assert (await server.http.get("/readyz")).status_code == 200


async def test_addresses_of_one_ipv6_network_share_what_one_may_send(engine_url: str, tmp_path: Path) -> None:
    overrides: dict[str, dict[str, object]] = {
        **limited("requests_per_address"),
        "server": {"trusted_proxies": ("127.0.0.0/8",)},
    }
    async with running_broker(engine_url, tmp_path / "key.json", overrides) as server:
        statuses = []
        for address in ("2001:db8::1", "2001:db8::2", "2001:db8::ffff:1", "2001:db8:0:1::1", "198.51.100.1"):
            answer = await server.http.get("/openapi.json", headers={"X-Forwarded-For": address})
            statuses.append(answer.status_code)
        assert statuses == [200, 200, 429, 200, 200]


async def test_a_key_that_calls_too_often_is_refused_in_the_body_of_its_api_and_others_are_not(
    engine_url: str, tmp_path: Path
) -> None:
    async with running_broker(engine_url, tmp_path / "key.json", limited("requests_per_key")) as server:
        keys = [(await server.broker.api_keys.create(KeyRequest("acme", ("calendar",))))[0] for _ in range(2)]
        headers = [{"Authorization": f"Bearer {key}"} for key in keys]
        answers = [await server.http.get("/v1/calendars", headers=headers[0]) for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 429]
        assert answers[2].json()["error"]["type"] == "rate_limit_error" and int(answers[2].headers["Retry-After"]) >= 90
        assert (await server.http.get("/v1/calendars", headers=headers[1])).status_code == 200
        made_up = {"Authorization": f"Bearer {keys[0][:-4]}AAAA"}
        assert (await server.http.get("/v1/calendars", headers=made_up)).status_code == 401
        assert (await server.http.get("/openapi.json")).status_code == 200


async def test_a_token_that_publishes_too_many_events_is_refused_and_nothing_is_stored(
    engine_url: str, tmp_path: Path
) -> None:
    async with running_broker(engine_url, tmp_path / "key.json", limited("events_per_token")) as server:
        await server.create("news")
        path, batch = f"{API}/channels/news/events", {"events": [{"data": 1}, {"data": 2}]}
        first = await server.http.post(path, json=batch, headers=server.bearer("pub:news", sub="ann"))
        again = await server.http.post(path, json=batch, headers=server.bearer("pub:news", sub="ann"))
        other = await server.http.post(path, json=batch, headers=server.bearer("pub:news", sub="bob"))
        assert [answer.status_code for answer in (first, again, other)] == [201, 429, 201]
        assert len((await server.http.get(path)).json()["events"]) == 4


async def test_a_channel_takes_only_so_many_events_whoever_publishes(engine_url: str, tmp_path: Path) -> None:
    async with running_broker(engine_url, tmp_path / "key.json", limited("events_per_channel")) as server:
        for channel in ("news", "other"):
            await server.create(channel)
        statuses = []
        for channel, who in (("news", "ann"), ("news", "bob"), ("news", "cy"), ("other", "cy")):
            path = f"{API}/channels/{channel}/events"
            answer = await server.http.post(path, json={"data": 1}, headers=server.bearer("pub:*", sub=who))
            statuses.append(answer.status_code)
        assert statuses == [201, 201, 429, 201]
