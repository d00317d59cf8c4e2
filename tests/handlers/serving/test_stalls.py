"""Who has taken nothing for too long."""

from handlers.serving.stalls import StallWatch


def test_one_that_takes_nothing_is_found_after_the_time_and_not_before() -> None:
    watch: StallWatch[str] = StallWatch(20)
    assert [watch.stalled([("a", 7)], now) for now in (0, 19.9, 20)] == [[], [], ["a"]]


def test_each_byte_taken_gives_the_whole_time_again() -> None:
    watch: StallWatch[str] = StallWatch(20)
    assert [watch.stalled([("a", taken)], now) for taken, now in ((0, 0), (1, 19), (1, 38), (1, 39))] == [
        [],
        [],
        [],
        ["a"],
    ]


def test_one_that_had_nothing_to_take_for_a_moment_starts_afresh() -> None:
    watch: StallWatch[str] = StallWatch(20)
    watch.stalled([("a", 0)], 0)
    watch.stalled([], 10)
    assert [watch.stalled([("a", 0)], now) for now in (15, 34.9, 35)] == [[], [], ["a"]]


def test_the_others_are_not_harmed() -> None:
    watch: StallWatch[str] = StallWatch(20)
    watch.stalled([("a", 0), ("b", 0)], 0)
    assert watch.stalled([("a", 0), ("b", 1)], 20) == ["a"]
