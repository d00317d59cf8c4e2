"""Parameters of a query are found however they are spelled."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams
from starlette.requests import HTTPConnection

from broker.errors import Invalid
from handlers.requests import query_text

parts = st.sampled_from(["token", "%74oken", "toke", "cursor", "=", "&", "a", "+", "%", "%3D", "x"])


def connection(query: bytes) -> HTTPConnection:
    scope: dict[str, Any] = {"type": "http", "query_string": query, "headers": []}
    return HTTPConnection(scope)


@given(st.lists(parts, max_size=10).map("".join))
def test_a_parameter_is_found_where_starlette_finds_it(query: str) -> None:
    found = QueryParams(query).getlist("token")
    try:
        assert query_text(connection(query.encode()), "token") == (found[0] if found else None)
    except Invalid:
        assert len(found) > 1


def test_one_that_is_given_under_two_names_is_refused() -> None:
    with pytest.raises(Invalid):
        query_text(connection(b"type=a&types=b"), "type", "types")
