"""The one spelling of a poll's query: whatever means the same is spelled the same."""

import datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.ids import parse_time
from broker.pages import parse_types
from handlers.channels.spelling import spell_poll, spell_time, spell_types

LATEST_MS = 253_402_300_799_999  # 9999-12-31
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes)))
NAMES = st.text(st.characters(codec="utf-8", exclude_characters=","), min_size=1).filter(
    lambda name: name == name.strip()
)


@given(st.integers(86_400_000, LATEST_MS - 86_400_000), ZONES, st.sampled_from(["milliseconds", "microseconds"]))
def test_a_moment_has_one_spelling_in_every_zone(ms: int, zone: datetime.timezone, precision: str) -> None:
    moment = datetime.datetime.fromtimestamp(ms // 1000, zone) + datetime.timedelta(milliseconds=ms % 1000)
    spelled = spell_time(moment.isoformat(timespec=precision))
    assert (parse_time(spelled), spelled[-5], spelled[-1]) == (ms, ".", "Z")
    assert spell_time(spelled) == spelled


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("2025-01-15T09:30:01Z", "2025-01-15T09:30:01Z"),
        ("2025-01-15T09:30:01.000Z", "2025-01-15T09:30:01.000Z"),
        ("2025-01-15T09:30:01", "2025-01-15T09:30:01.000Z"),
        ("2025-01-15 09:30:01Z", "2025-01-15T09:30:01.000Z"),
        ("2025-01-15T10:30:01+01:00", "2025-01-15T09:30:01.000Z"),
        ("2025-01-15T09:30:01.0009Z", "2025-01-15T09:30:01.000Z"),
        ("2025-01-15", "2025-01-15T00:00:00.000Z"),
    ],
)
def test_whole_seconds_have_the_two_spellings_that_clients_write(text: str, spelled: str) -> None:
    assert spell_time(text) == spelled


@given(st.lists(NAMES, max_size=8), st.randoms(use_true_random=False))
def test_a_set_of_types_has_one_spelling(names: list[str], chance: Random) -> None:
    written = [f" {name}" if chance.random() < 0.5 else name for name in names * 2]
    chance.shuffle(written)
    spelled = spell_types(",".join([*written, ""]))
    assert spelled == spell_types(spelled) == ",".join(sorted(set(names)))
    assert parse_types(spelled) == parse_types(",".join(written))


def test_what_asks_for_nothing_is_left_out_and_a_limit_is_a_plain_number() -> None:
    nothing = spell_poll(cursor=None, since=None, types=" , ", limit=None, gap_is_error=False)
    assert nothing == {}
    everything = spell_poll(cursor="C", since="2025-01-15", types="b,a", limit="007", gap_is_error=True)
    assert everything == {
        "cursor": "C",
        "limit": "7",
        "on_gap": "error",
        "since": "2025-01-15T00:00:00.000Z",
        "type": "a,b",
    }
