"""The lifecycle API answers the seed's samples as the seed does."""

import json
from pathlib import Path
from typing import Any

from tests.handlers.lifecycle.calls import Caller

SAMPLES = Path(__file__).parent / "samples"
GENERATED = ("chat_id", "room_id")
TIMES = ("start_time", "cancel_time", "finish_time", "access_time", "create_time", "update_time")


def sample(call: str) -> dict[str, Any]:
    """A call of the seed: its request and its response, letter by letter."""
    value: dict[str, Any] = json.loads((SAMPLES / f"{call}.json").read_text())
    return value


def without_what_is_made_up(event: dict[str, Any]) -> dict[str, Any]:
    """The event with its times told only as set, unset or the same as another."""
    times = sorted({event[name] for name in TIMES})
    return {**event, **dict.fromkeys(GENERATED), **{name: times.index(event[name]) for name in TIMES}}


async def test_the_seeds_samples_are_answered_as_in_the_seed(acme: Caller) -> None:
    """Create, Start, Finish in one life; the canceled sample had been started."""
    first: dict[str, Any] = {}
    for call in ("Create", "Start", "Finish"):
        [event] = await acme.good(call, sample(call)["request"])
        expected = sample(call)["response"]["events"][0]
        assert list(event) == list(expected)
        own, seeds = without_what_is_made_up(event), without_what_is_made_up(expected)
        if call == "Finish":
            # In the seed the event was finished at the moment of its start.
            assert own.pop("finish_time") >= seeds.pop("finish_time")
        assert own == seeds
        first = first or event
        assert [event[name] for name in GENERATED] == [first[name] for name in GENERATED]


async def test_the_seeds_canceled_sample_keeps_its_start_time(acme: Caller) -> None:
    for call in ("Create", "Start", "Cancel"):
        [event] = await acme.good(call, sample(call)["request"])
    expected = sample("Cancel")["response"]["events"][0]
    assert list(event) == list(expected) and event["status"] == expected["status"]
    assert {name for name in TIMES if not event[name]} == {name for name in TIMES if not expected[name]}
    assert event["create_time"] == event["update_time"] == event["access_time"] <= event["start_time"]
    assert event["start_time"] <= event["cancel_time"]
