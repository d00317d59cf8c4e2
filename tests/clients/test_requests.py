"""What publishes and polls look like on the wire."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemark_client.answers import KEY_HEADER
from tidemark_client.errors import Invalid
from tidemark_client.requests import Draft, RawJson, page_call, publish_batch, publish_one, render_draft

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(JSON, st.none() | st.text(), st.none() | st.text())
def test_an_event_is_rendered_with_what_it_has(data: object, kind: str | None, meta: str | None) -> None:
    told = json.loads(render_draft(Draft(data, kind, meta)))
    assert told == {
        "data": data,
        **({} if kind is None else {"type": kind}),
        **({} if meta is None else {"meta": meta}),
    }


def test_raw_json_goes_as_it_is() -> None:
    assert render_draft(Draft(RawJson(b"1.50"), "a")) == b'{"data":1.50,"type":"a"}'


@pytest.mark.parametrize("data", [float("nan"), object(), {1, 2}])
def test_what_has_no_json_is_refused(data: object) -> None:
    with pytest.raises(Invalid, match="no JSON"):
        publish_one("news", Draft(data), "k")


def test_a_publish_has_its_key_and_a_batch_its_bound() -> None:
    call = publish_batch("news", [Draft(1), Draft(2)], "k")
    assert (call.method, call.path, call.body, call.key) == (
        "POST",
        ("channels", "news", "events"),
        b'{"events":[{"data":1},{"data":2}]}',
        "k",
    )
    assert dict(call.headers) == {KEY_HEADER: "k"}
    with pytest.raises(Invalid, match="at most 100"):
        publish_batch("news", [Draft(1)] * 101, "k")


def test_a_poll_has_the_one_spelling_under_which_caches_keep_it() -> None:
    call = page_call("news", since="t", cursor="c", types=["b", " a", "b"], limit=5, etag='"e"')
    assert list(call.query.items()) == [("cursor", "c"), ("limit", "5"), ("since", "t"), ("type", "a,b")]
    assert dict(call.headers) == {"If-None-Match": '"e"'}
    assert dict(page_call("news", limit=None, types=[], wait_s=25.0).query) == {"wait": "25"}


@pytest.mark.parametrize("types", ["a", ["a,b"], [" "]])
def test_types_that_would_be_others_on_the_wire_are_refused(types: list[str]) -> None:
    with pytest.raises(Invalid, match="types is a list"):
        page_call("news", types=types)
