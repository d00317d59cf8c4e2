"""Ready answers to polls: bounded, the same bytes as those that are made anew, and gone with every change."""

import tracemalloc
from typing import Any

import pytest
from starlette.responses import Response

from handlers.ready_pages import AROUND_BYTES, ReadyPages
from tests.broker_server import API, BrokerServer

EVENTS = f"{API}/channels/news/events"


RECORD: Any = object()
META: Any = object()
EACH = 10 + AROUND_BYTES


def asked(query: str) -> tuple[bytes, bytes]:
    return b"/", query.encode()


def page(body: bytes, etag: str | None = '"x"') -> Response:
    return Response(body, headers={} if etag is None else {"ETag": etag}, media_type="application/json")


def test_pages_are_bounded_by_their_bytes_and_the_least_used_go_first() -> None:
    pages = ReadyPages(10 * EACH)
    for name in "abcdefghij":
        pages.put(asked(name), RECORD, META, page(b"x" * 10))
    assert pages.get(asked("a")) is not None
    pages.put(asked("k"), RECORD, META, page(b"x" * 10))
    assert pages.get(asked("a")) is not None and pages.get(asked("b")) is None and pages.get(asked("k")) is not None


def test_a_newer_answer_to_the_same_request_takes_the_place_of_the_older() -> None:
    pages = ReadyPages(10 * EACH)
    for _ in range(20):
        pages.put(asked("a"), RECORD, META, page(b"x" * 10))
    for name in "bcdefghij":
        pages.put(asked(name), RECORD, META, page(b"x" * 10))
    assert all(pages.get(asked(name)) for name in "abcdefghij")


def test_what_is_too_large_or_has_no_validator_is_not_kept() -> None:
    pages = ReadyPages(80_000)
    pages.put(asked("large"), RECORD, META, page(b"x" * 10_000))
    pages.put(asked("plain"), RECORD, META, page(b"x", etag=None))
    assert pages.get(asked("large")) is None and pages.get(asked("plain")) is None


def test_pages_of_next_to_nothing_are_bounded_by_what_they_really_take() -> None:
    pages = ReadyPages(1_000_000)
    tracemalloc.start()
    try:
        for number in range(2_000):
            pages.put(asked(f"limit={number}"), RECORD, META, page(b"{}", f'"{number}"'))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 1_100_000 and pages.get(asked("limit=1999")) is not None


def test_who_has_it_is_told_so() -> None:
    pages = ReadyPages()
    pages.put(asked("a"), RECORD, META, page(b"body"))
    ready = pages.get(asked("a"))
    assert ready is not None
    assert ready.answer("").body == b"body" and ready.answer('"y"').status_code == 200
    answer = ready.answer('W/"x"')
    assert (answer.status_code, answer.body) == (304, b"")
    assert b'etag: "x"\r\n' in answer.lines and b"content-" not in answer.lines


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    await broker_server.publish("news", 1, 2, 3)
    return broker_server


def told(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    ignored = ("date", "x-request-id")
    return answer.status_code, answer.content, {k: v for k, v in answer.headers.items() if k not in ignored}


async def test_a_page_that_is_ready_is_answered_like_one_that_is_made(
    server: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await server.http.get(f"{EVENTS}?limit=2")

    def fail(*_: Any, **__: Any) -> Any:
        raise AssertionError("the log is not read")

    for name in ("after", "newest"):
        monkeypatch.setattr(server.broker.log, name, fail)
    again = await server.http.get(f"{EVENTS}?limit=2")
    assert told(again) == told(first) and first.status_code == 200
    known = await server.http.get(f"{EVENTS}?limit=2", headers={"If-None-Match": first.headers["etag"]})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", first.headers["etag"])
    assert known.headers["cache-control"] == first.headers["cache-control"]


async def test_every_change_of_the_log_is_in_the_next_answer(server: BrokerServer) -> None:
    async def data() -> list[Any]:
        return [event["data"] for event in (await server.http.get(EVENTS)).json()["events"]]

    assert await data() == [1, 2, 3]
    [event] = await server.publish("news", 4)
    assert await data() == [1, 2, 3, 4]
    headers = server.bearer("admin")
    assert (await server.http.delete(f"{EVENTS}/{event['id']}", headers=headers)).status_code == 204
    assert await data() == [1, 2, 3]
    await server.change("news", is_public=False)
    assert (await server.http.get(EVENTS)).status_code == 401
    await server.change("news", is_public=True)
    assert await data() == [1, 2, 3]


async def test_answers_to_credentials_are_not_kept(server: BrokerServer) -> None:
    await server.http.get(EVENTS, headers=server.bearer("sub:news"))
    await server.http.get(f"{EVENTS}?token=x")
    await server.http.get(f"{EVENTS}?wait=0")
    assert not server.broker.ready_pages._pages
