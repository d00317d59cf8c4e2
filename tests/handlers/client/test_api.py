"""Plain calls: one answer or one clear reason, whatever the other side does."""

import socket

import pytest

from handlers.client.api import Api, Call, Refused, Unreachable, member, parse_answer
from handlers.client.server_url import ServerUrl
from tests.handlers.client.scripted import GONE, OK, answer, scripted

GET = Call("GET", "/api/v1/channels")
POST = Call("POST", "/x", b'{"a":1}', {"Idempotency-Key": "k"})


def api(url: str, token: str | None = None, timeout_s: float = 5) -> Api:
    return Api(ServerUrl.parse(url), lambda: token, timeout_s=timeout_s)


def test_a_call_has_the_token_of_the_moment_and_its_body() -> None:
    tokens = iter(["one", "two"])
    with scripted(OK, OK) as server:
        client = Api(ServerUrl.parse(server.url), lambda: next(tokens))
        assert [client.call(POST), client.call(GET)] == [{}, {}]
        client.close()
    first, second = server.asked
    assert first.startswith(b"POST /x HTTP/1.1\r\n") and first.endswith(b'{"a":1}')
    assert b"\r\nAuthorization: Bearer one\r\n" in first and b"\r\nIdempotency-Key: k" in first
    assert b"\r\nAuthorization: Bearer two\r\n" in second
    assert server.connections == 1


def test_a_kept_connection_that_was_closed_is_made_anew() -> None:
    with scripted(answer(200, b"1", "Connection: close"), answer(200, b"2")) as server:
        client = api(server.url)
        assert [client.call(GET), client.call(GET)] == [1, 2]
        client.close()
    assert server.connections == 2


def test_a_server_that_leaves_without_an_answer_is_unreachable() -> None:
    with scripted(OK, GONE, GONE) as server:
        client = api(server.url)
        client.call(GET)
        with pytest.raises(Unreachable, match="does not answer"):
            client.call(POST)


CUT = b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{"a"'
NO_STATUS = b"HTTP/1.1 abc\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("said", [b"garbage\r\n\r\nConnection: close", NO_STATUS, CUT])
def test_what_is_no_whole_answer_is_unreachable(said: bytes) -> None:
    with scripted(said) as server, pytest.raises(Unreachable):
        api(server.url).call(GET)


def test_nobody_there_is_unreachable_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(Unreachable, match=rf"^{url} does not answer: connection refused$"):
        api(url).call(GET)


def test_a_server_that_says_nothing_is_waited_for_so_long_and_no_longer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(Unreachable, match="timed out"):
            api(url, timeout_s=0.1).call(GET)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (404, b'{"error": "Channel not found"}', "Channel not found"),
        (502, b"<html>Bad Gateway</html>", "Bad Gateway"),
        (400, b'{"error": 5}', "Bad Request"),
        (400, b"[]", "Bad Request"),
        (599, b"", "The server refused"),
        (302, b"", "Found"),
    ],
)
def test_a_refusal_has_the_words_of_the_server_or_of_the_status(status: int, body: bytes, message: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_answer(status, body)
    assert (caught.value.status, caught.value.message) == (status, message)


@pytest.mark.parametrize(("status", "is_passing"), [(400, False), (401, False), (429, True), (500, False), (503, True)])
def test_only_some_refusals_pass(status: int, is_passing: bool) -> None:
    with pytest.raises(Refused) as caught:
        parse_answer(status, b"", "7")
    assert (caught.value.is_passing, caught.value.retry_after_s) == (is_passing, 7.0)


@pytest.mark.parametrize("retry_after", [None, "", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "²"])
def test_a_retry_after_that_is_no_number_is_as_none(retry_after: str | None) -> None:
    with pytest.raises(Refused) as caught:
        parse_answer(503, b"", retry_after)
    assert caught.value.retry_after_s is None


def test_a_success_that_is_not_of_our_kind_is_refused() -> None:
    assert parse_answer(204, b"") is None
    for body in (b"<html>", b"\xff"):
        with pytest.raises(Refused, match="not that of a Tidemark server"):
            parse_answer(200, body)
    values: tuple[object, ...] = ([], {}, None, "events")
    for value in values:
        with pytest.raises(Refused, match="not that of a Tidemark server"):
            member(value, "events")
