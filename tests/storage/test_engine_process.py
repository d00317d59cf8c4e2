"""The child process: ended politely, killed when it does not listen."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from broker.storage.engine_process import end, spawn
from tests.engines import wait_for_end

DEAF = "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.write({fd}, b'.'); signal.pause()"


def deaf_child(directory: Path) -> "subprocess.Popen[bytes]":
    """A child that ignores SIGTERM, when it is ready."""
    ready, told = os.pipe()
    child = spawn([sys.executable, "-c", DEAF.format(fd=told)], directory, told)
    os.close(told)
    assert os.read(ready, 1) == b"."
    os.close(ready)
    return child


def test_a_child_that_does_not_end_is_killed(tmp_path: Path) -> None:
    child = deaf_child(tmp_path)
    end(child, timeout_s=0.1)
    assert child.returncode == -signal.SIGKILL
    wait_for_end(child.pid, timeout_s=0)


def test_ending_a_child_that_is_gone_has_no_effect(tmp_path: Path) -> None:
    child = deaf_child(tmp_path)
    child.kill()
    child.wait()
    end(child)
    assert child.returncode == -signal.SIGKILL
