"""Which answers a shared cache may keep, and under which URLs."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from handlers.caching import has_credential, is_known, public_answer, spellings, strong_etag

PATH = "/api/v1/channels/news/events"
BODY = b'{"events":[]}'
PARAMETERS = {"type": "a,b:c", "cursor": "C", "limit": "5"}
NAMES = st.sampled_from(["cursor", "limit", "type", "since", "token", "wait", "_", "Limit", "types"])
VALUES = st.sampled_from(["C", "5", "a,b:c", "a%2Cb%3Ac", "a%2Cb:c", "05", "", "%43"])


def answer_to(query: str, headers: dict[str, str] | None = None, path: str = PATH) -> Response:
    """The public answer to a GET with this query and these headers, of a page that depends on PARAMETERS."""
    raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {"type": "http", "method": "GET", "path": PATH, "raw_path": path.encode(), "headers": raw}
    request = Request({**scope, "query_string": query.encode()})
    return public_answer(request, BODY, channel_id="news", keep_s=2, parameters=PARAMETERS)


def is_kept(answer: Response) -> bool:
    return answer.headers.get("Cache-Control") == "public, s-maxage=2"


def test_an_answer_is_kept_under_its_one_spelling_with_what_purges_and_checks_it() -> None:
    answer = answer_to("cursor=C&limit=5&type=a,b:c")
    assert (answer.status_code, answer.body, answer.headers["Content-Type"]) == (200, BODY, "application/json")
    assert is_kept(answer) and answer.headers["ETag"] == strong_etag(BODY)
    assert answer.headers["Surrogate-Key"] == answer.headers["Cache-Tag"] == "news"
    assert "Vary" not in answer.headers and "Content-Location" not in answer.headers


@pytest.mark.parametrize("order", list(itertools.permutations(["cursor=C", "limit=5", "type=a,b:c"]))[1:])
def test_another_order_is_answered_without_being_kept_and_told_the_one(order: tuple[str, ...]) -> None:
    answer = answer_to("&".join(order))
    assert (answer.body, answer.headers["Cache-Control"]) == (BODY, "no-store")
    assert answer.headers["Content-Location"] == f"{PATH}?cursor=C&limit=5&type=a,b:c"


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
def test_no_query_makes_another_copy(pairs: list[tuple[str, str]]) -> None:
    """Of one page there are two copies at most: commas and colons as they are, or percent-encoded."""
    query = "&".join(f"{name}={value}" for name, value in pairs)
    assert is_kept(answer_to(query)) is (query in ("cursor=C&limit=5&type=a,b:c", "cursor=C&limit=5&type=a%2Cb%3Ac"))


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=4))
def test_a_spelling_is_a_query_that_means_its_parameters(parameters: dict[str, str]) -> None:
    for query in spellings(parameters):
        request = Request({"type": "http", "query_string": query.encode("ascii"), "headers": []})
        assert request.query_params.multi_items() == sorted(parameters.items())


@pytest.mark.parametrize("headers", [{"Authorization": ""}, {"Authorization": "x"}, {"Cookie": "a=1"}])
def test_an_answer_to_a_credential_is_not_kept(headers: dict[str, str]) -> None:
    answer = answer_to("cursor=C&limit=5&type=a,b:c", {**headers, "If-None-Match": strong_etag(BODY)})
    assert (answer.status_code, answer.body) == (200, BODY)
    assert not {"cache-control", "etag", "content-location", "surrogate-key"} & set(answer.headers)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"", False),
        (b"cursor=token", False),
        (b"tokens=1", False),
        (b"token", True),
        (b"token=", True),
        (b"a=1&token=x", True),
        (b"%74oken=x", True),
        (b"\xff=1&tok%65n=x", True),
    ],
)
def test_a_token_in_a_query_is_a_credential_however_it_is_written(query: bytes, expected: bool) -> None:
    assert has_credential({"headers": [], "query_string": query}) is expected


def test_a_path_with_encoded_letters_is_not_kept() -> None:
    assert is_kept(answer_to("cursor=C&limit=5&type=a,b:c"))
    answer = answer_to("cursor=C&limit=5&type=a,b:c", path=PATH.replace("news", "%6Eews"))
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["Content-Location"].startswith(PATH)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('"e"', True),
        ('W/"e"', True),
        ('"x", W/"e"', True),
        (" * ", True),
        ("", False),
        ('"x"', False),
        ("e", False),
        ('"e', False),
    ],
)
def test_who_has_the_answer(header: str, expected: bool) -> None:
    assert is_known(header, '"e"') is expected


def test_who_has_the_answer_gets_304_with_the_headers_that_refresh_a_cache() -> None:
    answer = answer_to("cursor=C&limit=5&type=a,b:c", {"If-None-Match": strong_etag(BODY)})
    assert (answer.status_code, answer.body, is_kept(answer)) == (304, b"", True)
    assert answer.headers["ETag"] == strong_etag(BODY) and "Content-Length" not in answer.headers
