"""Strict JSON: exact, bounded, and nothing but Invalid for bad bytes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import Invalid
from broker.strictjson import parse_json, parse_stored, render_json

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**300), 10**300)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20)


def parse(body: bytes, depth: int = 100, keys: int = 10_000) -> Any:
    return parse_json(body, depth=depth, keys=keys)


@given(VALUES)
def test_every_value_comes_back_equal(value: Any) -> None:
    assert parse(render_json(value)) == value


@given(VALUES)
def test_what_is_stored_is_read_back_as_exactly(value: Any) -> None:
    assert render_json(parse_stored(render_json(value))) == render_json(value)


@given(VALUES)
def test_output_is_one_line_of_compact_json(value: Any) -> None:
    rendered = render_json(value)

    assert b"\n" not in rendered
    assert b"\r" not in rendered
    assert json.loads(rendered) == value


@given(st.binary(max_size=200))
def test_arbitrary_bytes_parse_or_are_invalid(body: bytes) -> None:
    try:
        parse(body, depth=3, keys=3)
    except Invalid:
        return


@given(st.text('[]{}:,"\\u0123456789eE+-.dDaAtrufalsn \n', max_size=80))
def test_almost_json_parses_or_is_invalid(text: str) -> None:
    try:
        value = parse(text.encode())
    except Invalid:
        return
    assert parse(render_json(value)) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[1,]",
        b"{'a':1}",
        b"NaN",
        b"Infinity",
        b"[-Infinity]",
        b"1e999",
        b"01",
        b"+1",
        b".5",
        b"1 2",
        b"\xef\xbb\xbf{}",
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"\x00"',
        b'"a\nb"',
        b"nul",
        b"\x00",
        b"1" * 400,
        b"1" * 5_000,
        b'{"a":1' + b"1" * 5_000 + b"}",
        b"[" * 2_000 + b"]" * 2_000,
        b"[" * 100_000,
        b'{"a":' * 5_000,
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        parse(body)


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**18, 10**19 + 1, 10**307 + 1, -(10**40)])
def test_integers_stay_exact(number: int) -> None:
    value = {"n": [number, 1.5, "1" * 30]}

    assert parse(json.dumps(value).encode()) == value
    assert render_json(value) == json.dumps(value, separators=(",", ":")).encode()


@pytest.mark.parametrize("before", ["", " ", "[", "[ ", "[1,", "[1,\t", "[\n", "[\r", '{"a":', '{"a": '])
@pytest.mark.parametrize("number", [10**18 + 1, -(10**18) - 1, 2**64 + 1, -(2**64) - 1])
def test_integers_stay_exact_wherever_they_stand(before: str, number: int) -> None:
    text = f"{before}{number}{']' if '[' in before else '}' if '{' in before else ''}"
    assert parse(text.encode()) == json.loads(text)
    assert parse_stored(text.encode()) == json.loads(text)


def test_depth_is_refused_one_past_its_limit() -> None:
    assert parse(b"[[[1]]]", depth=3) == [[[1]]]
    with pytest.raises(Invalid, match="deeper than 3"):
        parse(b'[[{"a":[]}]]', depth=3)


def test_brackets_within_text_are_no_depth() -> None:
    assert parse(b'["[[[[{{{{", "::::::"]', depth=1, keys=0) == ["[[[[{{{{", "::::::"]


def test_members_are_refused_one_past_their_limit() -> None:
    assert parse(b'[{"a":1},{"b":{"c":2}}]', keys=3) == [{"a": 1}, {"b": {"c": 2}}]
    with pytest.raises(Invalid, match="more than 2 members"):
        parse(b'[{"a":1},{"b":{"c":2}}]', keys=2)


def test_deep_values_within_the_limit_come_back() -> None:
    body = b"[" * 254 + b"]" * 254

    assert render_json(parse(body, depth=254)) == body


@pytest.mark.parametrize("value", [object(), {1, 2}, {"a": b"bytes"}, "\ud800", {2: object()}])
def test_what_json_cannot_spell_is_refused(value: Any) -> None:
    with pytest.raises(Invalid):
        render_json(value)
