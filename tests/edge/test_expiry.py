"""How long a cache may tell what is no longer so: `s-maxage`, and in nginx the rest of a second beside it."""

import asyncio
import time

from tests.edge.edges import Edge

KEPT_S = 1
MOST_S = {"nginx": KEPT_S + 1, "varnish": KEPT_S}
"""nginx 1.22 counts in whole seconds of its own clock."""
LOOK_S = 0.02


async def last_told(edge: Edge, changed_s: float, told: bytes) -> float:
    """Seconds from the change to the last request that was still answered with what is no longer so."""
    last_s = 0.0
    async with asyncio.timeout(10):
        while True:
            sent_s = time.monotonic()
            answer = await edge.get()
            if told not in answer.content:
                return last_s
            last_s = sent_s - changed_s
            await asyncio.sleep(LOOK_S)


async def test_a_deleted_event_is_not_told_after_the_poll_interval(brief_edge: Edge) -> None:
    """Not even to the first who asks after a while, for whom a cache would otherwise look for a new page behind."""
    edge = brief_edge
    event, kept = await edge.publish("doomed", "kept")
    assert b"doomed" in (await edge.get()).content
    path, admin = f"{edge.events}/{event['id']}", edge.server.bearer("admin")
    assert (await edge.server.http.delete(path, headers=admin)).status_code == 204
    await asyncio.sleep(MOST_S[edge.cache.name])
    assert (await edge.get()).json()["events"] == [kept]


async def test_a_channel_turned_private_is_told_no_longer_than_the_poll_interval(brief_edge: Edge) -> None:
    """And from then on to nobody, though the cache has the page and its ETag still."""
    edge = brief_edge
    await edge.publish("was public")
    etag = (await edge.get()).headers["ETag"]
    await edge.server.change(edge.channel, is_public=False)
    assert await last_told(edge, time.monotonic(), b"was public") <= MOST_S[edge.cache.name]
    answers = [await edge.get("", **headers) for headers in ({}, {"If-None-Match": etag}, {"If-None-Match": "*"})]
    assert [answer.status_code for answer in answers] == [401, 401, 401]


async def test_a_page_that_did_not_change_is_checked_by_its_etag_and_not_sent_again(brief_edge: Edge) -> None:
    edge = brief_edge
    await edge.publish("same")
    first = await edge.get()
    async with asyncio.timeout(10):
        while len(edge.asked) < 2:
            answer = await edge.get()
            assert (answer.status_code, answer.content) == (200, first.content)
            await asyncio.sleep(LOOK_S)
    assert edge.asked[1].headers["If-None-Match"] == first.headers["ETag"]
    assert [each.status for each in edge.asked] == [200, 304]
    for _ in range(5):
        await edge.get()
    assert len(edge.asked) <= 3, "the 304 makes the page new again"
