"""What becomes of a connection's answers."""

from soak.fates import Fate


def test_a_connection_without_a_fate_passes_everything() -> None:
    fate = Fate()
    assert (fate.take(b"abc"), fate.is_over) == (b"abc", False)


def test_a_doomed_one_is_cut_after_its_bytes_wherever_that_is() -> None:
    fate = Fate(left_bytes=5)
    assert [fate.take(b"abc"), fate.is_over, fate.take(b"def"), fate.is_over] == [b"abc", False, b"de", True]


def test_a_stalled_or_deaf_one_passes_nothing_and_is_not_cut() -> None:
    for fate in (Fate(is_stalled=True), Fate(is_deaf=True)):
        assert (fate.take(b"abc"), fate.is_over) == (b"", False)
