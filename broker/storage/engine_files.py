"""The files by which processes meet at an embedded engine: locks, the socket, and who wrote the data.

    <data>/lock         held by the broker that serves the data; holds its pid
    <data>/engine.lock  held by the engine itself, through a descriptor that it inherits and never learns of
    <data>/engine.sock  the engine's socket, or
    <data>/engine.path  where the socket is, because its path in the data directory would be too long
    <data>/engine.json  the make of the server that wrote the append-only file
    <data>/engine.log   the engine's own log

Locks are flock(2): they end with the process, however it ends.
"""

import fcntl
import os
import socket
import stat
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

MAX_SOCKET_PATH_BYTES = 100
"""sun_path holds 108 bytes on Linux and 104 on macOS, with its NUL."""

SOCKET_TIMEOUT_S = 1.0


class EngineFault(Exception):
    """The embedded engine cannot be had. The text is for the operator and says how to mend it."""


class DataInUse(EngineFault):
    """Another broker serves this data directory."""


class NotRunning(EngineFault):
    """No embedded engine answers for this data directory."""


def open_data(path: str | Path) -> Path:
    """The data directory as an absolute path, made with mode 700 where it is missing."""
    data = Path(path).expanduser().resolve()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EngineFault(f"Cannot use {data} as the data directory: {error.strerror}") from error
    return data


class DataLock:
    """The claim of one broker on a data directory."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._fd = -1

    def take(self) -> None:
        """Claim the directory; raises `DataInUse`, naming the process that has it, or `EngineFault`."""
        try:
            fd = os.open(self._data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EngineFault(f"Cannot write to the data directory {self._data}: {error.strerror}") from error
        if not try_lock(fd):
            holder = os.pread(fd, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(fd)
            raise DataInUse(
                f"Another broker (pid {holder}) serves {self._data}: stop it, or give another directory with --data"
            )
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

    def release(self) -> None:
        """Give the directory back; without effect when it was not taken."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def try_lock(fd: int) -> bool:
    """Lock the open file, exclusively and without waiting; False when another process has it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def make_socket_path(data: Path) -> Path:
    """Where a starting engine shall listen: in the data directory, or in a short one that `engine.path` names."""
    usual = data / "engine.sock"
    pointer = data / "engine.path"
    if len(os.fsencode(usual)) <= MAX_SOCKET_PATH_BYTES:
        pointer.unlink(missing_ok=True)
        return usual
    known = socket_path(data)
    if known is not None and _make_private(known.parent):
        return known
    # Not the user's runtime directory: that is emptied when the user logs out, and brokers outlive sessions.
    path = Path(tempfile.mkdtemp(prefix="tidemark-", dir="/tmp")) / "engine.sock"
    pointer.write_text(str(path))
    return path


def socket_path(data: Path) -> Path | None:
    """Where the engine of this data directory listens, None when it never started."""
    usual = data / "engine.sock"
    if len(os.fsencode(usual)) <= MAX_SOCKET_PATH_BYTES:
        return usual
    try:
        return Path((data / "engine.path").read_text().strip())
    except FileNotFoundError:
        return None


def remove_socket(data: Path) -> None:
    """Clean up after an engine that ended."""
    path = socket_path(data)
    if path is None:
        return
    path.unlink(missing_ok=True)
    if path.parent != data and _is_private(path.parent):
        path.parent.rmdir()
    (data / "engine.path").unlink(missing_ok=True)


def url_of(path: Path) -> str:
    """The engine URL of a unix socket."""
    return "unix://" + quote(str(path))


def attach_url(data: str | Path) -> str:
    """The URL of the engine that a running broker keeps for this data directory; raises `NotRunning`."""
    path = socket_path(Path(data).expanduser().resolve())
    if path is None or ask(path, b"PING\r\n") is None:
        raise NotRunning(f"No broker is running on {data}: start one with ./run serve --data {data}, or give the URL")
    return url_of(path)


def ask(path: Path, command: bytes) -> bytes | None:
    """One inline command to a server on a unix socket and the beginning of its answer; None when nobody answers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(SOCKET_TIMEOUT_S)
            client.connect(str(path))
            client.sendall(command)
            return client.recv(256) or None
    except OSError:
        return None


def read_json(path: Path) -> Any:
    """The document in a file, None when it is missing or damaged."""
    try:
        return orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None


def _make_private(directory: Path) -> bool:
    """Whether the directory is ours alone; one that was cleaned away is made again, so that the URL stays."""
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        return _is_private(directory)
    except OSError:
        return False
    return True


def _is_private(directory: Path) -> bool:
    try:
        found = directory.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and found.st_mode & 0o77 == 0
