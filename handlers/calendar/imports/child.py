"""The process that reads one feed: it takes what is asked and the feed on stdin, answers on stdout, and ends.

It has limits of processor time and memory (setrlimit), knows no secrets and opens nothing: a feed that was made to hurt
ends it, and nothing else. Run as `python -m handlers.calendar.imports.child`.
"""

import json
import resource
import sys
from contextlib import suppress
from typing import Any

from handlers.calendar.imports.expansion import Unreadable, expand
from handlers.calendar.imports.occurrence import MOST_ANSWER_BYTES, NO_MEMORY, Span, render_expanded

TOO_LARGE = "what it says is over 4 MB, from 30 days ago to a year ahead"


def main() -> int:
    """Read, expand, answer; the answer says what was wrong with the feed."""
    asked: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    _limit(asked["cpu_s"], asked["memory_bytes"])
    try:
        answer = _answer(sys.stdin.buffer.read(), Span(*asked["span"]))
    except MemoryError:
        answer = json.dumps({"error": NO_MEMORY}).encode()
    sys.stdout.buffer.write(answer)
    return 0


def _answer(feed: bytes, span: Span) -> bytes:
    try:
        text = json.dumps(render_expanded(expand(feed, span)), ensure_ascii=False).encode()
    except Unreadable as refusal:
        return json.dumps({"error": str(refusal)}).encode()
    return text if len(text) <= MOST_ANSWER_BYTES else json.dumps({"error": TOO_LARGE}).encode()


def _limit(cpu_s: int, memory_bytes: int) -> None:
    bounds = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
    }
    for name, most in bounds.items():
        # Not every system has every one of them; the parent's own limits of time and bytes hold everywhere.
        with suppress(ValueError, OSError):
            resource.setrlimit(name, (most, most))


if __name__ == "__main__":
    sys.exit(main())
