"""A child ends with its parent, however that ended."""

import os
import subprocess
import sys

from tests.engines import wait_for_end

PATIENCE_S = 30.0
PARENT = """
import os, subprocess, sys
from broker.deathsignal import die_with
child = subprocess.Popen(["sleep", "600"], preexec_fn=die_with(os.getpid()))
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_a_child_is_gone_when_its_parent_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()
    wait_for_end(pid, PATIENCE_S)
