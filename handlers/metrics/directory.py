"""The directory that the processes of one server share for their metrics: a new one for each start.

One that was left behind, by a server that was killed, is removed by the next start. That a server uses its directory is
told by a lock on it, which ends with the process whatever happens.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "metrics-"


@contextmanager
def metrics_directory(data: Path) -> Iterator[Path]:
    """A new directory in the data directory, for as long as the block runs."""
    remove_abandoned(data)
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=data))
        # Until it is locked, another start may think it abandoned and remove it.
        with suppress(BlockingIOError, FileNotFoundError):
            lock = _lock(path)
            break
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def remove_abandoned(data: Path) -> None:
    """Remove the directories of servers that are gone."""
    for path in data.glob(f"{PREFIX}*"):
        with suppress(BlockingIOError, FileNotFoundError, NotADirectoryError):
            lock = _lock(path)
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def _lock(path: Path) -> int:
    """A descriptor that holds the lock of a directory.

    Raises `BlockingIOError` where another process holds it, `FileNotFoundError` where it is gone.
    """
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(lock), path.stat()):
            raise FileNotFoundError(path)
    except OSError:
        os.close(lock)
        raise
    return lock
