"""The headers of every answer."""

from typing import Any

import pytest

from handlers.caching import has_credential
from handlers.serving.http_scope import first_headers
from handlers.serving.whole_answer import WHOLE, parse_lines, render_lines
from handlers.standard_headers import drop_range, is_preflight, standard_headers

START = {"type": "http.response.start", "status": 200}


def finished(message: dict[str, Any], *, is_private: bool = False) -> list[tuple[bytes, bytes]]:
    standard_headers(message, "abc", is_private=is_private)
    return list(message.get("headers", ()))


def test_an_answer_that_says_nothing_is_not_kept() -> None:
    headers = dict(finished({**START}))
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"access-control-allow-origin"] == b"*" and headers[b"x-request-id"] == b"abc"
    assert dict(finished({**START}, is_private=True))[b"cache-control"] == b"private, no-store"


@pytest.mark.parametrize("name", [b"cache-control", b"Cache-Control"])
def test_what_a_route_says_stands(name: bytes) -> None:
    headers = finished({**START, "headers": [(name, b"public, s-maxage=2")]}, is_private=True)
    assert [value for each, value in headers if each.lower() == b"cache-control"] == [b"public, s-maxage=2"]


@pytest.mark.parametrize("is_private", [False, True])
@pytest.mark.parametrize("own", [[], [(b"cache-control", b"public, s-maxage=2")]])
def test_an_answer_in_one_message_has_the_same_headers(own: list[tuple[bytes, bytes]], *, is_private: bool) -> None:
    whole: dict[str, Any] = {"type": WHOLE, "status": 200, "lines": render_lines(own), "body": b""}
    standard_headers(whole, "abc", is_private=is_private)
    expected = finished({**START, "headers": own}, is_private=is_private)
    assert sorted(parse_lines(whole["lines"])) == sorted(expected)


def test_a_socket_that_opens_has_its_id_and_one_that_is_refused_by_a_close_has_nothing() -> None:
    assert finished({"type": "websocket.accept"}) == [(b"x-request-id", b"abc")]
    assert finished({"type": "websocket.close"}) == []


def asked(*headers: tuple[bytes, bytes], query: bytes = b"") -> dict[str, Any]:
    return {"type": "http", "method": "GET", "headers": list(headers), "query_string": query}


def test_credentials_make_an_answer_private() -> None:
    assert has_credential(asked((b"authorization", b"x"))) and has_credential(asked((b"cookie", b"x")))
    assert has_credential(asked(query=b"token=x")) and not has_credential(asked((b"accept", b"x"), query=b"cursor=x"))


def test_ranges_are_not_asked_for() -> None:
    scope = asked((b"range", b"bytes=0-1"), (b"a", b"b"), (b"range", b"bytes=2-3"))
    drop_range(scope)
    assert scope["headers"] == [(b"a", b"b")]
    assert first_headers(scope) == {b"a": b"b"}


def test_only_a_question_of_a_browser_is_a_preflight() -> None:
    asked = [(b"access-control-request-method", b"POST")]
    assert is_preflight({"type": "http", "method": "OPTIONS", "headers": asked})
    assert not is_preflight({"type": "http", "method": "OPTIONS", "headers": []})
    assert not is_preflight({"type": "http", "method": "GET", "headers": asked})
    assert not is_preflight({"type": "websocket", "headers": asked})
