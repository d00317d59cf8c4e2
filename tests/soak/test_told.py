"""What drivers tell becomes the history that the checker reads."""

import pytest

from soak.checker import check
from soak.clients.told import Driver
from soak.history import History, Reading, parse_event
from tests.clients.cases import ulid


def driver() -> Driver:
    history = History()
    reading = Reading("d ws", "c", ulid(0))
    history.readings.append(reading)
    return Driver("d", "c", history, {"ws": reading})


def seen(number: int, name: str) -> dict[str, object]:
    return {"seen": {"id": ulid(number), "type": None, "data": {"name": name}}, "reader": "ws", "at_s": 3}


def test_a_publish_and_its_reading_are_a_history_without_violations() -> None:
    told = driver()
    for line in (
        {"began": [["a", None], ["b", None]], "at_s": 1},
        {"trouble": "cut", "at_s": 1.5},
        {"acked": [ulid(1), ulid(2)], "at_s": 2},
        seen(1, "a"),
        seen(2, "b"),
        {"stopped": True, "at_s": 4},
        {"done": "ws", "at_s": 4},
    ):
        told.take(line)
    told.history.logs["c"] = [
        parse_event({"id": ulid(n), "type": None, "data": {"name": x}}) for n, x in ((1, "a"), (2, "b"))
    ]
    verdict = check(told.history)
    assert (verdict.violations, verdict.acknowledged, told.troubles) == ([], 2, 1)
    assert told.is_stopped and told.done == {"ws"}


def test_what_a_driver_misses_says_falsely_or_fails_at_is_found() -> None:
    told = driver()
    told.take({"began": [["a", None]], "at_s": 1})
    told.take({"acked": [ulid(1)], "at_s": 2})
    told.history.logs["c"] = [parse_event({"id": ulid(1), "type": None, "data": {"name": "a"}})]
    assert check(told.history).counts["skipped"] == 1
    told.take({"gap": [ulid(0), ulid(1)], "reader": "ws", "at_s": 3})
    assert check(told.history).counts["false-gap"] == 1
    told.take({"failed": "ws: Cut()", "at_s": 3})
    assert check(told.history).counts["remark"] == 1


def test_a_line_that_says_nothing_known_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="told"):
        driver().take({"hello": 1, "at_s": 0})
