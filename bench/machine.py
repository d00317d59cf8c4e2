"""On what and with what a result was measured: machine, kernel, versions, load."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from broker.storage.engine_binary import NoBinary, find_binary

PACKAGES = ("uvicorn", "starlette", "websockets", "httptools", "uvloop", "redis", "hiredis", "orjson", "joserfc")
VERSION_WORDS = {"nchan": ["-v"], "nats": ["--version"], "node": ["--version"], "centrifugo": ["version"]}
ROOT = Path(__file__).parents[1]


def describe(peers: Mapping[str, Path]) -> list[str]:
    """One line a fact, for people."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    found = [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}",
        f"{_processor()}, {os.cpu_count()} cores, Linux {platform.release()}, load average {load}",
        f"CPython {platform.python_version()}, {packages}",
        f"engine {_engine()}, {_first_line(['cc', '--version'])}",
    ]
    return found + [f"{name}: {_first_line([str(path), *VERSION_WORDS.get(name, [])])}" for name, path in peers.items()]


def _commit() -> str:
    program = shutil.which("git")
    if program is None:
        return "unknown"

    def git(*words: str) -> str:
        done = subprocess.run([program, "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    changed = git("status", "--porcelain", "--untracked-files=no")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (" with changes" if changed else "")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _engine() -> str:
    try:
        return str(find_binary("", None).make)
    except NoBinary:
        return "none"


def _first_line(words: list[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "version unknown"
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if lines else "version unknown"
