"""What a broker's log says of defects: errors, tracebacks, and lines that are none of its own."""

import json
from pathlib import Path

SHOWN_CHARS = 2_000
ERRORS = ("error", "critical")


def defects_in(broker: str, log: Path) -> list[str]:
    """One text a defect; warnings, such as of an engine that is away, are none."""
    found = []
    for line in log.read_text(errors="replace").splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            found.append(f"broker {broker} wrote: {line[:SHOWN_CHARS]}")
            continue
        if "error" in told or told.get("level") in ERRORS:
            found.append(f"broker {broker} logged: {line[:SHOWN_CHARS]}")
    return found
