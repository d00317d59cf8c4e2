"""Running the load client against a target."""

import json
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.processes import bound_to
from bench.report import Report, parse_report
from bench.target import Target

GRACE_S = 60.0


class LoadFailed(Exception):
    """The load client itself failed; the text is what it wrote."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the load client does. Times are seconds, `rate` requests a second by all publishers together.

    Modes: `closed` (each connection sends when it is answered), `lockstep` (one event at a time reaches everybody
    before the next), `paced` (a fixed schedule). `expect` is the number of events that each subscriber must have
    before anything else begins; `lines` how many publishers sent them, when none does now.
    """

    subscribers: int = 0
    publishers: int = 0
    mode: str = "closed"
    rate: float = 0
    warm_s: float = 0
    seconds: float = 2.0
    settle_s: float = 10.0
    count: int = 0
    opening: int = 200
    expect: int = 0
    lines: int = 1
    idle_s: float = 0
    patience_s: float = 60.0
    stalled: int = 0
    stall_after_s: float = 0
    stall_for_s: float = 0


def run_load(program: Path, core: int, target: Target, load: Load) -> Report:
    """One run, with the load client pinned to `core`; raises `LoadFailed`."""
    with tempfile.TemporaryDirectory(prefix="tidemark-load-") as directory:
        words = [str(program), *_number_words(load), *_target_words(target, load, Path(directory))]
        limit_s = GRACE_S + 2 * load.patience_s + load.warm_s + load.seconds + load.settle_s + load.idle_s
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=limit_s, check=False, preexec_fn=bound_to(core)
            )
        except subprocess.TimeoutExpired:
            raise LoadFailed(f"the load client did not end within {limit_s:.0f} s") from None
    if done.returncode:
        raise LoadFailed(done.stderr.strip() or f"the load client ended with status {done.returncode}")
    return parse_report(json.loads(done.stdout))


def _number_words(load: Load) -> list[str]:
    numbers = {
        "--subscribers": load.subscribers,
        "--publishers": load.publishers,
        "--rate": load.rate,
        "--warm": load.warm_s,
        "--seconds": load.seconds,
        "--settle": load.settle_s,
        "--count": load.count,
        "--opening": load.opening,
        "--expect": load.expect,
        "--lines": load.lines,
        "--idle": load.idle_s,
        "--patience": load.patience_s,
        "--stalled": load.stalled,
        "--stall-after": load.stall_after_s,
        "--stall-for": load.stall_for_s,
    }
    return ["--mode", load.mode, *(word for name, number in numbers.items() for word in (name, str(number)))]


def _target_words(target: Target, load: Load, directory: Path) -> list[str]:
    words = []
    for pid in (*target.servers, *target.engines):
        words += ["--watch", str(pid)]
    readers, requests = target.readers, target.requests
    if load.subscribers and readers is not None:
        words += ["--subscribe", f"127.0.0.1:{readers.port}", "--heads", _write_all(directory / "heads", readers.heads)]
        words += ["--framing", "websocket" if readers.framed else "stream"]
        words += ["--first", _write(directory / "first", readers.first)] if readers.first else []
        words += ["--ready", readers.ready] if readers.ready else []
    if load.publishers and requests is not None:
        words += ["--publish", f"127.0.0.1:{requests.port}", "--answers", "http" if requests.http else "lines"]
        words += ["--requests", _write_all(directory / "requests", requests.requests)]
        words += ["--publish-first", _write(directory / "publish-first", requests.first)] if requests.first else []
    return words


def _write_all(path: Path, requests: Iterable[bytes]) -> str:
    return _write(path, b"".join(b"%d\n%b" % (len(request), request) for request in requests))


def _write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)
