"""The scope of a request: what ASGI says that it has."""

from typing import Any

import httptools
import pytest

from handlers.serving.http_scope import connection_scope, first_headers, first_of, render_scope, render_target
from handlers.serving.sockets import Ends

CONNECTION = connection_scope(Ends(("127.0.0.1", 8000), None), "http", "", {"a": 1}, {})


def test_a_scope_has_all_parts_and_a_state_of_its_own() -> None:
    scope = render_scope(CONNECTION, b"GET", b"/a%20b?x=%20", "1.1", [(b"host", b"x")])
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.3"}
    assert (scope["type"], scope["method"], scope["http_version"]) == ("http", "GET", "1.1")
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/a b", b"/a%20b", b"x=%20")
    assert scope["headers"] == [(b"host", b"x")] and scope["server"] == ("127.0.0.1", 8000)
    assert scope["state"] == {"a": 1} and scope["state"] is not CONNECTION["state"]


def test_a_target_may_name_its_host_and_stands_behind_the_root_path() -> None:
    target = render_target("/root", b"http://elsewhere/a")
    assert target == {"path": "/root/a", "raw_path": b"/root/a", "query_string": b""}


def test_what_is_no_target_is_told() -> None:
    with pytest.raises(httptools.HttpParserInvalidURLError):
        render_target("", b"no target")


def test_the_first_header_of_a_name_is_the_one_that_counts() -> None:
    headers = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]
    assert first_of(headers) == {b"a": b"1", b"b": b"2"}
    scope: dict[str, Any] = {"headers": headers}
    assert first_headers(scope) is first_headers(scope)
    rendered = render_scope(CONNECTION, b"GET", b"/", "1.1", headers)
    assert first_headers(rendered) == first_of(headers)
