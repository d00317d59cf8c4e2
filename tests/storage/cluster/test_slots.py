"""The map of slots as nodes tell it, and which slot a command is for."""

import pytest

from broker.storage.cluster.slots import SLOTS, parse_slots, slot_of, slot_of_key
from broker.storage.cluster.urls import Address
from broker.storage.keys import log_keys, partition_keys

ASKED = Address("10.0.0.1", 7000)


def test_primaries_and_replicas_are_read_from_the_answer() -> None:
    slots = parse_slots(
        [
            [0, 9, [b"10.0.0.1", 7000, b"a"], [b"10.0.0.4", 7000, b"d"]],
            [20, SLOTS - 1, [b"10.0.0.2", 7000, b"b", [b"hostname", b"two"]]],
            [10, 14, [b"10.0.0.1", 7000, b"a"], [b"10.0.0.4", 7000, b"d"]],
        ],
        ASKED,
    )
    one, two = Address("10.0.0.1", 7000), Address("10.0.0.2", 7000)
    assert slots.primaries == [one, two]
    assert slots.replicas == [Address("10.0.0.4", 7000)]
    assert [slots.owners[slot] for slot in (0, 9, 10, 14, 15, 19, 20, SLOTS - 1)] == [
        *(one, one, one, one),
        *(None, None),
        *(two, two),
    ]
    assert len(slots.owners) == SLOTS


@pytest.mark.parametrize("host", [b"", None])
def test_a_node_that_does_not_know_its_own_host_is_the_one_that_was_asked(host: bytes | None) -> None:
    assert parse_slots([[0, 1, [host, 7001, b"a"]]], ASKED).primaries == [Address("10.0.0.1", 7001)]


def test_a_node_whose_host_nobody_knows_has_nothing() -> None:
    slots = parse_slots([[0, 1, [b"?", 7001, b"a"]]], ASKED)
    assert slots.primaries == [] and slots.owners[0] is None


def test_a_command_goes_where_its_first_key_is() -> None:
    key = "{p07}:floor"
    assert slot_of(("HGET", key, "x")) == slot_of(("EVALSHA", "sha", 2, key, "{p07}:trims", "1")) == slot_of_key(key)
    assert slot_of(("HGET", key.encode(), "x")) == slot_of_key(key)
    assert slot_of(("TIME",)) is None and slot_of(("WAIT", 1, 100)) is None


def test_all_of_a_partition_has_one_slot() -> None:
    for partition in range(99):
        names = {*partition_keys(partition), *log_keys(partition, "news", 12345)}
        assert len({slot_of_key(name) for name in names}) == 1
