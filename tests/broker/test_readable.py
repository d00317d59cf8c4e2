"""Data as text: both formats give the value again, and cost little however the data is made."""

import json
import time
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import given, settings

from broker.errors import Invalid
from broker.readable import MAX_BYTES, MAX_LEVELS, Format, parse_format, render_readable
from broker.strictjson import render_json
from tests.json_values import same, values

FORMATS: tuple[Format, ...] = ("yaml", "json")


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@given(value=values)
@settings(max_examples=60, deadline=None)
def test_json_text_gives_the_value_again(value: Any) -> None:
    assert same(json.loads(render_readable(value, "json")), value)


@given(value=values)
@settings(max_examples=60, deadline=None)
def test_yaml_text_gives_the_value_again(value: Any) -> None:
    text = render_readable(value, "yaml")
    # What is compact is JSON. PyYAML reads YAML 1.1, to which its 1e300 is a string.
    read = json.loads if text.startswith(("[", "{")) else yaml.safe_load
    assert same(read(text), value)


def test_small_data_is_indented() -> None:
    assert render_readable({"a": [1]}, "yaml") == "a:\n  - 1"
    assert render_readable({"a": [1]}, "json") == '{\n  "a": [\n    1\n  ]\n}'


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("value", [nested(MAX_LEVELS + 1), ["x"] * MAX_BYTES, {"k" * 2_000: nested(100)}])
def test_large_or_deep_data_is_compact_json_which_yaml_is_too(form: Format, value: Any) -> None:
    text = render_readable(value, form)
    assert text == render_json(value).decode()


def test_compact_json_is_read_by_a_yaml_reader() -> None:
    value = {"deep": nested(MAX_LEVELS), "more": ["a: b", "\x85", -1.5, 10**30, None, {}, True, "<\U0001f600>"]}
    assert same(yaml.safe_load(render_readable(value, "yaml")), value)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "value",
    [[1] * 32_000, nested(95), [nested(MAX_LEVELS - 1)] * 300, ["\x00"] * 900, ["a\n \n" * 2_000], "a " * 4_000],
)
def test_the_worst_data_costs_milliseconds_and_a_few_times_its_size(form: Format, value: Any) -> None:
    began = time.perf_counter()
    text = render_readable(value, form)
    assert time.perf_counter() - began < 0.25
    assert len(text) <= 25 * len(render_json(value))


def test_the_format_is_yaml_unless_json_is_asked_for() -> None:
    assert [parse_format(text) for text in (None, "yaml", "json")] == ["yaml", "yaml", "json"]
    for text in ("", "YAML", "xml"):
        with pytest.raises(Invalid):
            parse_format(text)
