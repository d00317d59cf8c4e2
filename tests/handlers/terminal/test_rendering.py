"""Lines for a terminal: nothing that is published moves its cursor or forges a line."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.terminal.rendering import channel_line, event_line, printable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_only_what_prints_is_printed(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert not any(unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp") for letter in shown)


def test_what_prints_stays_as_it_is() -> None:
    assert printable("für 日本 😀") == "für 日本 😀"
    assert printable("a\nb\x1b[2J\u202e") == r"a\nb\u001b[2J\u202e"


@given(JSON, st.none() | st.text())
def test_an_event_is_one_line(data: object, kind: str | None) -> None:
    event = {"id": "01M8", "created_at": "2025", "type": kind, "data": data}
    assert event_line(event).isprintable()
    assert event_line(event).startswith("2025  01M8  ")


def test_a_channel_is_one_line() -> None:
    line = channel_line({"id": "news", "name": "a\nb", "is_public": True, "event_count": 3, "last_event_at": None})
    assert line.split() == ["news", "public", "3", "-", r"a\nb"]


@pytest.mark.parametrize("member", ["id", "event_count", "last_event_at", "name"])
@pytest.mark.parametrize("value", [None, "\x1b[2J", 1, []])
def test_whatever_a_server_says_of_a_channel_is_one_line(member: str, value: object) -> None:
    assert channel_line({"id": "news", "name": "News", member: value}).isprintable()
