"""The programs in C, compiled when they are first used and kept in the user's cache."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent / "native"
FLAGS = ("-O2", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra")
PARTS = {
    "load_client": (
        "load_client.c", "options.c", "subscriber.c", "marks.c", "publisher.c", "answers.c", "histogram.c", "watch.c",
        "report.c",
    ),
    "limit_server": ("limit_server.c", "accept_key.c"),
}  # fmt: skip


class NoTools(Exception):
    """The programs cannot be had; the text says how to mend it."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the compiled programs are."""

    load_client: Path
    limit_server: Path


def compiled_tools(cache: Path | None = None, flags: tuple[str, ...] = FLAGS) -> Tools:
    """Both programs, compiled unless exactly these sources were compiled before. Raises `NoTools`."""
    if sys.platform != "linux":
        raise NoTools("The benchmark needs Linux: its load client is built on epoll and reads /proc.")
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise NoTools("The load client is compiled from C and there is no cc: apt-get install gcc libc6-dev.")
    directory = (cache or default_cache()) / _fingerprint(compiler, flags)
    directory.mkdir(parents=True, exist_ok=True)
    return Tools(*(_compiled(compiler, flags, directory, name) for name in PARTS))


def default_cache() -> Path:
    """The user's cache directory for the benchmark."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "tidemark-bench"


def _fingerprint(compiler: str, flags: tuple[str, ...]) -> str:
    digest = hashlib.sha256(repr((compiler, flags)).encode())
    for source in sorted(SOURCES.iterdir()):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def _compiled(compiler: str, flags: tuple[str, ...], directory: Path, name: str) -> Path:
    program = directory / name
    if program.exists():
        return program
    # Renamed when it is whole: two benchmarks may start at once.
    fresh = directory / f"{name}.{os.getpid()}"
    words = [compiler, *flags, "-o", str(fresh), *(str(SOURCES / part) for part in PARTS[name])]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoTools(f"{compiler} cannot compile {name}:\n{done.stderr.strip()}")
    return fresh.rename(program)
