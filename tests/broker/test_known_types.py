"""Compiled types are kept by what they say: many channels of one kind are compiled once."""

from dataclasses import replace
from typing import Any

import pytest

from broker.channels import ChannelRecord, NewChannel, record_of
from broker.errors import Invalid
from broker.known_types import KnownTypes


def channel(tag: int, schema: dict[str, Any], *, version: int = 1) -> ChannelRecord:
    new = NewChannel(f"c-{tag}", "C", config={"strict_types": True, "types": {"tick": {"schema": schema}}})
    return replace(record_of(new, tag=tag, partition=0, created_ms=1), version=version)


NUMBER, TEXT = {"type": "number"}, {"type": "string"}


def test_channels_whose_types_say_the_same_share_them() -> None:
    known = KnownTypes()
    assert known.of(channel(1, NUMBER)) is known.of(channel(2, NUMBER))
    assert known.of(channel(1, NUMBER)) is not known.of(channel(3, TEXT))


def test_a_channel_with_new_types_is_checked_by_them() -> None:
    known = KnownTypes()
    known.of(channel(1, NUMBER)).check("tick", 1)
    changed = known.of(channel(1, TEXT, version=2))
    changed.check("tick", "one")
    with pytest.raises(Invalid):
        changed.check("tick", 1)


def test_those_not_used_for_longest_are_forgotten_first() -> None:
    known = KnownTypes(most=2)
    first = known.of(channel(1, NUMBER))
    second = known.of(channel(2, TEXT))
    assert known.of(channel(1, NUMBER)) is first
    known.of(channel(3, {"type": "boolean"}))
    assert known.of(channel(1, NUMBER)) is first
    assert known.of(channel(2, TEXT)) is not second


def test_types_that_cannot_be_enforced_are_refused_each_time() -> None:
    known, broken = KnownTypes(), channel(1, {"type": "nonsense"})
    for _ in range(2):
        with pytest.raises(Invalid):
            known.of(broken)
