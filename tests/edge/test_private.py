"""What is one reader's own is never given to another, and errors are nobody's for long (reliability.md E)."""

import asyncio
import itertools
import os
import signal
from collections.abc import Callable

import pytest

from tests.edge.caches import CACHES, Cache
from tests.edge.edges import Edge

SECRET = "s3cret-canary"
CREDENTIALS: tuple[tuple[str, dict[str, str]], ...] = (
    ("", {"Authorization": "Bearer x.y.z"}),
    ("", {"Authorization": "0"}),
    ("", {"Cookie": "session=1"}),
    ("", {"Cookie": "0"}),
    ("&token=x", {}),
    ("&token=", {}),
    ("&token=0", {}),
    ("&%74oken=x", {}),
)


async def read_as_owner(edge: Edge, how: str) -> str:
    """Read the private channel with a good credential; the query that it was read with."""
    token = edge.server.token(f"sub:{edge.channel}")
    query = f"?token={token}" if how == "token" else ""
    headers = {"header": {"Authorization": f"Bearer {token}"}, "cookie": {"Cookie": "id=1"}}.get(how, {})
    answer = await edge.get(query, **{"Authorization": f"Bearer {token}", **headers} if how == "cookie" else headers)
    assert SECRET in answer.text and answer.headers["Cache-Control"] == "private, no-store"
    return query


@pytest.mark.parametrize("how", ["header", "token", "cookie"])
async def test_a_stranger_gets_nothing_of_what_the_owner_has_read(edge: Edge, how: str) -> None:
    await edge.server.change(edge.channel, is_public=False)
    await edge.publish(SECRET)
    for _ in range(2):
        await read_as_owner(edge, how)
    other = edge.server.token("sub:other")
    strangers = [{}, {"Authorization": "Bearer x.y.z"}, {"Authorization": f"Bearer {other}"}, {"Cookie": "id=1"}]
    answers = [await edge.get("", **headers) for headers in strangers]
    answers += [await edge.get(query) for query in ("?token=x", f"?token={other}", "?limit=50", "?wait=0")]
    assert [answer.status_code for answer in answers] == [401, 401, 403, 401, 401, 403, 401, 401]
    assert not [answer for answer in answers if SECRET in answer.text]


async def test_a_token_in_the_query_is_asked_about_each_time(edge: Edge) -> None:
    """The very same URL: a token that is good no more opens nothing, and none of it was kept."""
    await edge.server.change(edge.channel, is_public=False)
    await edge.publish(SECRET)
    query = await read_as_owner(edge, "token")
    await edge.server.broker.channels.delete(edge.channel)
    await edge.server.create(edge.channel, is_public=False)
    again = await edge.get(query)
    assert (again.status_code, SECRET in again.text, len(edge.asked)) == (200, False, 2)


async def test_a_path_that_looks_like_a_file_is_no_way_to_have_a_page_kept(edge: Edge) -> None:
    await edge.server.change(edge.channel, is_public=False)
    await edge.publish(SECRET)
    owner = {"Authorization": f"Bearer {edge.server.token('admin')}"}
    suffixes = ("/x.css", ";x.css", ".css", "%2Fx.css", "%3Fx.css", "/")
    for suffix, headers in itertools.product(suffixes, (owner, {})):
        answer = await edge.http.get(edge.events + suffix, headers=headers)
        assert answer.status_code in (401, 404) and SECRET not in answer.text
        assert "no-store" in answer.headers["Cache-Control"]


async def test_an_answer_to_a_credential_is_neither_kept_nor_taken_from_what_is_kept(edge: Edge) -> None:
    """On a public channel too, where the credential changes nothing."""
    await edge.publish(1)
    for number, (query, headers) in enumerate(CREDENTIALS):
        own = await edge.get(f"?limit={number + 1}{query}", **headers)
        assert (own.status_code, own.headers["Cache-Control"]) == (200, "private, no-store")
    await edge.publish(2)
    kept = [await edge.get(f"?limit={number + 1}") for number in range(len(CREDENTIALS))]
    assert {answer.json()["events"][-1]["data"] for answer in kept} == {2}
    await edge.publish(3)
    for number, (query, headers) in enumerate(CREDENTIALS):
        own = await edge.get(f"?limit={number + 1}{query}", **headers)
        assert own.json()["events"][-1]["data"] == 3
    assert len(edge.asked) == 3 * len(CREDENTIALS)


async def test_no_error_outlives_its_reason(edge: Edge) -> None:
    """404 until the channel is there, 401 while it is private, 410 and 400 for whoever asks so."""
    name = edge.channel
    await edge.server.broker.channels.delete(name)
    assert [(await edge.get()).status_code for _ in range(2)] == [404, 404]
    await edge.server.create(name, is_public=False)
    assert [(await edge.get()).status_code for _ in range(2)] == [401, 401]
    await edge.server.change(name, is_public=True)
    above = f"?cursor=7ZZZZZZZZZ{(await edge.publish(1))[0]['id'][10:]}&on_gap=error"
    answers = [await edge.get(query) for query in (above, "?limit=0", "?cursor=x") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [410, 410, 400, 400, 400, 400]
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
    asked = len(edge.asked)
    assert asked == 10
    assert (await edge.get()).status_code == 200


@pytest.mark.parametrize("cache", ["nginx"], indirect=True)
async def test_an_engine_that_does_not_answer_is_503_until_it_does(
    edge: Edge, cache_of: Callable[[str], Cache]
) -> None:
    """Asked through both caches at once, as it takes the broker's whole patience."""
    await edge.publish(1)
    pid = edge.engine.pid
    assert pid is not None
    both = [cache_of(name).url + edge.events for name in CACHES]
    os.kill(pid, signal.SIGSTOP)
    try:
        for failed in await asyncio.gather(*map(edge.http.get, both)):
            assert (failed.status_code, failed.headers["Cache-Control"]) == (503, "no-store")
            assert "error" in failed.json() and "Retry-After" in failed.headers
    finally:
        os.kill(pid, signal.SIGCONT)
    async with asyncio.timeout(10):
        while (await edge.server.http.get("/readyz")).status_code == 503:
            await asyncio.sleep(0.01)
    assert [(await edge.http.get(url)).status_code for url in both] == [200, 200]
