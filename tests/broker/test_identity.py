"""The server's identity: what is shown, what may be changed, and what is refused."""

from typing import Any

import pytest

from broker.errors import Invalid
from broker.identity import DEFAULT_NAME, apply_identity, parse_identity, render_identity

AT = "2026-11-24T12:00:00.000Z"
UNSET: dict[str, Any] = {"description": None, "tags": [], "owner": None, "company": None, "email": None}


def each(name: str, *values: Any) -> list[dict[str, Any]]:
    """One body for each of `values`."""
    return [{name: value} for value in values]


def put(document: Any, body: Any, at: str = AT) -> Any:
    return apply_identity(document, parse_identity(body), at)


def test_a_server_that_was_told_nothing_shows_defaults() -> None:
    assert render_identity(None) == {"name": DEFAULT_NAME, **UNSET, "updated_at": None}


def test_only_the_named_fields_change() -> None:
    first = put(None, {"name": "Hub", "owner": "alice", "tags": ["a", "b"]})
    second = put(first, {"owner": "bob", "unknown": 1}, "2027-01-01T00:00:00.000Z")

    assert render_identity(second) == {
        **UNSET,
        "name": "Hub",
        "owner": "bob",
        "tags": ["a", "b"],
        "updated_at": "2027-01-01T00:00:00.000Z",
    }


def test_null_clears_and_brings_back_the_default_name() -> None:
    full = {"name": "Hub", "description": "x", "tags": ["a"], "owner": "o", "company": "c", "email": "a@b"}
    cleared = put(put(None, full), dict.fromkeys(full))

    assert render_identity(cleared) == {"name": DEFAULT_NAME, **UNSET, "updated_at": AT}


def test_an_empty_text_clears_as_null_does() -> None:
    document = put(put(None, {"owner": "o", "description": "d"}), {"owner": "", "description": ""})

    assert (render_identity(document)["owner"], render_identity(document)["description"]) == (None, None)


def test_no_change_is_no_update() -> None:
    document = put(None, {"name": "Hub"})

    assert put(document, {"other": 1}, "2027-01-01T00:00:00.000Z") == document
    assert render_identity(put(None, {}))["updated_at"] is None


@pytest.mark.parametrize(
    "body",
    each("name", "é" * 256, "Ω hub: a/b")
    + each("description", "two\nlines\tand a tab", "d" * 2_000)
    + each("tags", [], ["t" * 64] * 32)
    + each("email", "alice@acme.com", "a+b@x", "ü@exämple.org"),
)
def test_what_is_within_bounds_is_kept_as_it_is(body: dict[str, Any]) -> None:
    assert put(None, body).items() >= body.items()


@pytest.mark.parametrize(
    "body",
    each("name", "", 1, True, [], {}, "n" * 257, "a\nb", "a\x00", "\x1b[31m")
    + each("description", 1, [], "d" * 2_001, "a\x00b", "a\rb", "\x0b")
    + each("tags", "a", [1], [""], [None], ["t" * 65], ["t"] * 33, {"a": 1}, ["a\nb"])
    + each("owner", 1, "o" * 257, "a\nb")
    + each("company", [], "c" * 257, "a\x7f")
    + each("email", 1, "alice", "@", "a@", "@b", "a@b@c", "a b@c", "Alice <a@b.c>", "a@b\n", f"a@{'b' * 253}", "a,b@c")
    + [None, [], "x", 1],
)
def test_what_is_out_of_bounds_is_refused(body: Any) -> None:
    with pytest.raises(Invalid):
        parse_identity(body)
