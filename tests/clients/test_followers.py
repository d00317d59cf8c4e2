"""Both faces of a follower across connections that end in every way: each event once, a word for what happened.

Against a server that is told what to do; against the real one in `test_against_a_server.py`.
"""

from typing import Any

import pytest

from tests.clients.cases import START, ulid
from tests.clients.faces import FACES, QUICK, client_of, take
from tests.clients.told_server import drop, page, say, send, stall, text, told
from tidemark_client import ChannelEnded, Cut, Gap, GapFound, Refused, Timing

pytestmark = pytest.mark.parametrize("face", FACES)


async def test_it_comes_back_after_the_last_event_whatever_broke(face: str) -> None:
    said: list[str] = []
    scripts = (send(1, 2), drop, page(cursor=2), send(3, code=1011), 503, send(4, code=1013), send(5, 6))
    async with told(*scripts) as server, client_of(face, server.url, on_trouble=said.append) as client:
        assert await take(client.follow("news", cursor=START), 6) == [1, 2, 3, 4, 5, 6]
    assert server.cursors == [START, *(ulid(number) for number in (2, 2, 2, 3, 3, 4))]
    assert said[0] == f"The server closed the connection (1012 restart); resuming after {ulid(2)}"
    assert said[1] == f"The connection broke; resuming after {ulid(2)}"
    assert said[3] == f"said no (503); resuming after {ulid(3)}"


async def test_an_event_that_comes_again_is_given_once(face: str) -> None:
    async with told(send(1, 2), send(1, 2, 3, 3, 4)) as server, client_of(face, server.url) as client:
        assert await take(client.follow("news", cursor=START), 4) == [1, 2, 3, 4]


async def test_a_gap_is_raised_and_reading_goes_on_behind_it(face: str) -> None:
    gap = send(9, code=4410, reason=f"cursor expired; cursor={ulid(3)}")
    async with told(gap, send(4, 5)) as server, client_of(face, server.url) as client:
        follower = client.follow("news", cursor=START)
        assert (await anext(follower)).data == 9
        with pytest.raises(GapFound, match="There is a gap") as found:
            await anext(follower)
        assert found.value.gap == Gap(ulid(9), ulid(3))
        assert follower.cursor == ulid(3)
        assert await take(follower, 2) == [4, 5]


async def test_a_gap_is_given_to_who_asks_for_gaps(face: str) -> None:
    gaps: list[Gap] = []
    scripts = (send(1, code=4410, reason=f"cursor expired; cursor={ulid(3)}"), send(4))
    async with told(*scripts) as server, client_of(face, server.url) as client:
        assert await take(client.follow("news", cursor=START, on_gap=gaps.append), 2) == [1, 4]
    assert gaps == [Gap(ulid(1), ulid(3))]


async def test_the_end_of_the_channel_ends_it(face: str) -> None:
    async with told(send(1, code=1000, reason="channel deleted")) as server, client_of(face, server.url) as client:
        follower = client.follow("news", cursor=START)
        assert (await anext(follower)).data == 1
        for _ in range(2):
            with pytest.raises(ChannelEnded):
                await anext(follower)
        await follower.aclose()


@pytest.mark.parametrize("code", [1002, 4401, 4403, 4499])
async def test_a_reason_that_will_not_pass_cuts_it(face: str, code: int) -> None:
    async with told(send(1, code=code, reason="why")) as server, client_of(face, server.url) as client:
        with pytest.raises(Cut, match=rf"why \({code}\)"):
            await take(client.follow("news", cursor=START), 2)


async def test_an_expired_token_is_renewed_where_it_can_be(face: str) -> None:
    tokens = iter(["one", "two"])
    async with (
        told(send(1, code=4401), send(2)) as server,
        client_of(face, server.url, token=lambda: next(tokens)) as client,
    ):
        assert await take(client.follow("news", cursor=START), 2) == [1, 2]
    assert server.tokens == ["Bearer one", "Bearer two"]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refusal_that_will_not_pass_is_told(face: str, status: int) -> None:
    async with told(status) as server, client_of(face, server.url) as client:
        with pytest.raises(Refused, match=rf"^said no \({status}\)$"):
            await take(client.follow("news", cursor=START), 1)


@pytest.mark.parametrize("frame", ["{}", "hello", '{"id": 5}', b"\xff\xfe", "[1]", "null"])
async def test_a_server_of_another_kind_is_not_followed(face: str, frame: str | bytes) -> None:
    async with told(say(frame)) as server, client_of(face, server.url) as client:
        with pytest.raises(Cut, match="no event"):
            await take(client.follow("news", cursor=START), 1)


async def test_what_came_and_was_not_taken_is_not_passed_over(face: str) -> None:
    async with told(send(1, 2, 3)) as server, client_of(face, server.url) as client:
        follower = client.follow("news", cursor=START)
        assert await take(follower, 2) == [1, 2]
        assert follower.cursor == ulid(2)


async def test_a_socket_that_has_stalled_is_found_and_left(face: str) -> None:
    timing = Timing(first_s=0.02, silence_s=1, grace_s=0.5)

    async def one_then_nothing(socket: Any) -> None:
        await socket.send(text(1))
        await stall(socket)

    async with (
        told(one_then_nothing, page(2, cursor=2), send(2, 3)) as server,
        client_of(face, server.url, timing=timing) as client,
    ):
        assert await take(client.follow("news", cursor=START), 3) == [1, 2, 3]
    assert server.cursors == [START, ulid(1), ulid(1)]


async def test_a_token_function_that_fails_is_the_callers_own_error(face: str) -> None:
    def token() -> str:
        raise LookupError("no token today")

    async with told() as server, client_of(face, server.url, token=token, timing=QUICK) as client:
        with pytest.raises(LookupError):
            await take(client.follow("news", cursor=START), 1)


async def test_a_reader_goes_on_after_a_token_function_that_failed_once(face: str) -> None:
    tokens = iter(["one"])

    def token() -> str:
        if not server.paths and not failed:
            failed.append(True)
            raise LookupError("no token today")
        return next(tokens)

    failed: list[bool] = []
    async with told(send(1)) as server, client_of(face, server.url, token=token) as client:
        follower = client.follow("news", cursor=START)
        with pytest.raises(LookupError):
            await anext(follower)
        assert await take(follower, 1) == [1]


async def test_a_reader_that_was_closed_has_ended(face: str) -> None:
    async with told(send(1)) as server, client_of(face, server.url) as client:
        follower = client.follow("news", cursor=START)
        assert await take(follower, 1) == [1]
        with pytest.raises(StopAsyncIteration):
            await anext(follower)
