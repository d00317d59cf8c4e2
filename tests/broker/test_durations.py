"""Durations: what `expires_in` may say."""

from typing import Any

import pytest

from broker.durations import parse_duration
from broker.errors import Invalid


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h", 3_600), ("7d", 604_800), ("1s", 1), ("007s", 7), ("36500d", 3_153_600_000)],
)
def test_a_number_and_a_unit_are_so_many_seconds(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0s",
        "0d",
        "s",
        "5",
        "5 m",
        " 5m",
        "5m\n",
        "-5m",
        "+5m",
        "1.5h",
        "5M",
        "5w",
        "1h30m",
        "\u0665m",
        "9" * 400 + "d",
        "36501d",
        60,
        0,
        1.5,
        True,
        None,
        [],
        {},
        b"5m",
    ],
)
def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(Invalid):
        parse_duration(value)
