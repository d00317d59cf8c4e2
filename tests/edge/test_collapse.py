"""What a cache asks the broker for many pollers: one request per distinct URL and poll interval (design promise 8)."""

import asyncio
import itertools
import random
from urllib.parse import parse_qsl

from tests.edge.edges import Edge

POLLERS = 200
OTHER_SPELLINGS = (
    "?_=1764109733",
    "?limit=3&utm_source=x",
    "?wait=0",
    "?wait=0&limit=3",
    "?type=",
    "?types=tick",
    "?type=tock,tick",
    "?limit=03",
    "?%6Cimit=3",
    "?since=2020-01-01T00:00:00%2B00:00",
    "?limit=3&",
)


def orders_of(query: str) -> list[str]:
    """The same parameters in every order."""
    return ["&".join(parts) for parts in itertools.permutations(query.split("&"))]


async def test_200_pollers_cost_one_request_per_distinct_url(edge: Edge) -> None:
    """Whatever order they write the parameters in."""
    events = await edge.publish(*range(10), type="tick")
    queries = [
        "",
        "limit=3",
        f"cursor={events[2]['id']}",
        f"cursor={events[2]['id']}&limit=3",
        f"cursor={events[7]['id']}&on_gap=error&type=tick",
        f"limit=100&since={events[0]['created_at']}&type=tick,tock",
    ]
    spellings = [random.choice(orders_of(queries[number % len(queries)])) for number in range(POLLERS)]
    answers = await asyncio.gather(*[edge.get(f"?{spelling}") for spelling in spellings])
    assert {answer.status_code for answer in answers} == {200}
    assert len(edge.asked) == len(queries)
    assert {each.target for each in edge.asked} == {f"{edge.events}?{query}".rstrip("?") for query in queries}
    direct = {query: (await edge.server.http.get(f"{edge.events}?{query}")).content for query in queries}
    assert [answer.content for answer in answers] == [direct[queries[n % len(queries)]] for n in range(POLLERS)]


async def test_pollers_who_start_at_different_places_soon_share_one_url(edge: Edge) -> None:
    """From no cursor, a time, or a cursor of long ago: after two pages all ask for the same."""
    events = await edge.publish(*range(60)) + await edge.publish(*range(60))

    async def follow(query: str) -> str:
        more = True
        while more:
            page = (await edge.get(query)).json()
            query, more = f"?cursor={page['cursor']}", page["has_more"]
        return query

    starts = ["", "?since=2020-01-01", *(f"?cursor={event['id']}" for event in random.sample(events, 50))]
    assert await asyncio.gather(*map(follow, starts)) == [f"?cursor={events[-1]['id']}"] * len(starts)


async def test_another_spelling_is_answered_but_not_kept(edge: Edge) -> None:
    await edge.publish("first", type="tick")
    before = [await edge.get(query) for query in OTHER_SPELLINGS]
    await edge.publish("second", type="tick")
    after = [await edge.get(query) for query in OTHER_SPELLINGS]
    assert {len(answer.json()["events"]) for answer in before} == {1}
    assert {len(answer.json()["events"]) for answer in after} == {2}
    assert {answer.headers["Cache-Control"] for answer in before + after} == {"no-store"}
    assert [each.target for each in edge.asked] == [edge.events + query for query in OTHER_SPELLINGS * 2]


async def test_the_broker_names_the_spelling_that_is_kept(edge: Edge) -> None:
    cursor = (await edge.publish(1, type="b"))[0]["id"]
    query = f"?types=b,%20a,b&_=1&since=2020-01-01&limit=007&on_gap=error&cursor={cursor}"
    location = (await edge.get(query)).headers["Content-Location"]
    expected = f"cursor={cursor}&limit=7&on_gap=error&since=2020-01-01T00:00:00.000Z&type=a,b"
    assert location == f"{edge.events}?{expected}"
    assert parse_qsl(expected) == sorted(parse_qsl(expected))
    kept = await edge.get(location.removeprefix(edge.events))
    assert kept.headers["Cache-Control"] == "public, s-maxage=60" and "Content-Location" not in kept.headers
    asked = len(edge.asked)
    await edge.get(location.removeprefix(edge.events))
    assert len(edge.asked) == asked


async def test_a_duplicate_parameter_is_the_brokers_to_refuse(edge: Edge) -> None:
    for _ in range(2):
        assert (await edge.get("?limit=1&limit=2")).status_code == 400
    assert edge.origin.targets[-2:] == [f"{edge.events}?limit=1&limit=2"] * 2


async def test_who_has_the_page_gets_304_from_the_cache(edge: Edge) -> None:
    await edge.publish(1)
    etag = (await edge.get()).headers["ETag"]
    assert not etag.startswith("W/")
    for known in (etag, f"W/{etag}"):
        answer = await edge.get(**{"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    assert (await edge.get(**{"If-None-Match": '"other"'})).status_code == 200
    assert len(edge.asked) == 1


async def test_head_is_answered_from_the_page_and_get_from_what_head_fetched(edge: Edge) -> None:
    await edge.publish(1)
    head = await edge.http.head(edge.events)
    page = await edge.get()
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Cache-Control", "ETag", "Content-Length", "Content-Type", "Surrogate-Key", "Cache-Tag"):
        assert head.headers[name] == page.headers[name]
    assert len(edge.asked) == 1


async def test_neither_host_nor_forwarded_headers_make_another_copy_or_show_in_it(edge: Edge) -> None:
    await edge.publish(1)
    bodies = set()
    for host in ("events.example.test", "evil.example", "127.0.0.1"):
        forwarded = {"Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": "https", "Forwarded": f"host={host}"}
        bodies.add((await edge.get("", **forwarded, Origin=f"https://{host}", **{"X-Original-URL": "/x"})).content)
    assert len(bodies) == len(edge.asked) == 1
    assert b"evil" not in bodies.pop()


async def test_a_path_spelled_otherwise_is_not_another_copy(edge: Edge) -> None:
    """An encoded letter reaches the same page, but is not kept under its own name."""
    await edge.publish("first")
    other = edge.events.replace(edge.channel, "%" + format(ord("c"), "X") + edge.channel[1:])
    direct = await edge.server.http.get(other)
    assert (direct.status_code, direct.headers["Cache-Control"]) == (200, "no-store")
    await edge.http.get(other)
    await edge.get()
    await edge.publish("second")
    stale, kept = await edge.http.get(other), await edge.get()
    assert len(kept.json()["events"]) == 1
    assert stale.content == kept.content or len(stale.json()["events"]) == 2
