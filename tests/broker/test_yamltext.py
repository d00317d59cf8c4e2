"""YAML that reads well, and reads back as the very value, with both of PyYAML's readers (YAML 1.1)."""

import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import given, settings

from broker.yamltext import escape_unprintable, render_yaml
from tests.json_values import TRAPS, same, values

PRINTABLE = re.compile("[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]+")
"""YAML 1.2 section 5.1, without its line separators and the byte order mark."""

LOADERS = (yaml.SafeLoader, yaml.CSafeLoader)

READS_WELL = {
    "symbol": "BTC",
    "price": 67500.0,
    "at": "2025-01-15T09:30:00Z",
    "tags": ["a", "b: c"],
    "deep": {"rows": [{"a": 1, "b": []}, [1, [2]]], "none": None},
    "body": "Hello,\n\n  it's: me",
    "url": "https://example.com/?a=1&b=<2>",
    "e": 1e300,
    "{}": {},
}
TEXT = """\
symbol: BTC
price: 67500.0
at: "2025-01-15T09:30:00Z"
tags:
  - a
  - "b: c"
deep:
  rows:
    - a: 1
      b: []
    - - 1
      - - 2
  none: null
body: |-
  Hello,

    it's: me
url: https://example.com/?a=1&b=<2>
e: 1.0e+300
"{}": {}"""


def loaded(text: str, loader: Any) -> Any:
    return yaml.load(text, loader)  # noqa: S506 - both are safe loaders


def test_yaml_reads_well() -> None:
    assert render_yaml(READS_WELL) == TEXT


@pytest.mark.parametrize("loader", LOADERS)
@given(value=values)
@settings(max_examples=100, deadline=None)
def test_reading_it_gives_the_value_again(loader: Any, value: Any) -> None:
    text = render_yaml(value)
    assert same(loaded(text, loader), value)
    assert same(loaded(f"{text}\n", loader), value)


@pytest.mark.parametrize("trap", TRAPS)
def test_what_looks_like_something_else_stays_a_string_wherever_it_stands(trap: str) -> None:
    for value in (trap, [trap], {trap: trap}, [[trap, {trap: [trap]}]], {"a": {trap: {trap: trap}}}):
        for loader in LOADERS:
            assert same(loaded(render_yaml(value), loader), value)


@given(value=values)
@settings(max_examples=60, deadline=None)
def test_every_character_is_one_that_yaml_may_hold(value: Any) -> None:
    assert PRINTABLE.fullmatch(render_yaml(value))


def test_escaping_keeps_the_value_of_json() -> None:
    assert escape_unprintable('"a\x85\u2028\uffff\U0001f600"') == '"a\\u0085\\u2028\\uffff\U0001f600"'
