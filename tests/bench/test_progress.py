"""Lines come out whatever becomes of the bar, and a bar only where somebody watches."""

import pytest

from bench.progress import progress


def test_without_a_terminal_there_are_the_lines_only(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(3, unit="measures", is_terminal=False) as bar:
        bar.say("one")
        bar.step()
        bar.say_in_time("two")
    assert capsys.readouterr().err == "one\ntwo\n"


def test_a_terminal_has_the_bar_below_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(2, unit="measures", is_terminal=True) as bar:
        bar.step()
        bar.step()
        bar.say("done")
    told = capsys.readouterr().err
    assert "done\n" in told and "100%" in told and "2/2 measures" in told


def test_a_bar_of_seconds_is_never_beyond_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(1e-9, unit="s", is_terminal=True) as bar:
        bar.say_in_time("a")
        bar.say_in_time("b")
    assert "0/0 s" in capsys.readouterr().err
