"""What a broker writes into its log tells of its defects."""

from pathlib import Path

import pytest

from soak.defects import defects_in


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('{"time":"t","level":"warning","logger":"l","message":"answered","status":503}\n', 0),
        ("", 0),
        ('{"time":"t","level":"error","logger":"l","message":"trimming failed"}\n', 1),
        ('{"time":"t","level":"warning","logger":"l","message":"m","error":"Traceback ..."}\n', 1),
        ("Traceback (most recent call last):\n  File\n", 2),
        ('{"level":"info"}\n{"level":"critical"}\n', 1),
    ],
)
def test_errors_tracebacks_and_foreign_lines_are_defects(tmp_path: Path, text: str, count: int) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    found = defects_in("one", log)
    assert len(found) == count and all(line.startswith("broker one ") for line in found)
