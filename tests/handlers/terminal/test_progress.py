"""A bar only where somebody watches and there is an end."""

import os
from pathlib import Path

import pytest

from handlers.terminal.progress import file_progress


def test_a_file_that_somebody_waits_for_has_a_bar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"x" * 1000)
    with path.open("rb") as file, file_progress(file.fileno(), is_terminal=True) as moved:
        moved(1000)
    assert "/1.00k" in capsys.readouterr().err


@pytest.mark.parametrize("is_terminal", [False, True])
def test_a_pipe_or_a_log_has_none(tmp_path: Path, capsys: pytest.CaptureFixture[str], is_terminal: bool) -> None:
    (tmp_path / "lines").write_bytes(b"x")
    read, write = os.pipe()
    try:
        with (
            (tmp_path / "lines").open("rb") as file,
            file_progress(read if is_terminal else file.fileno(), is_terminal=is_terminal) as moved,
        ):
            moved(1)
    finally:
        os.close(read)
        os.close(write)
    assert capsys.readouterr().err == ""
