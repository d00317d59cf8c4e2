"""System programs that some tests run: where one is missing, its tests are skipped by name."""

import os
import shutil

import pytest

PACKAGE_OF = {"curl": "curl", "bash": "bash", "redis-cli": "redis-server", "nginx": "nginx", "varnishd": "varnish"}


def program(name: str) -> str:
    """The program's path; skips the test where this machine has none (scripts/install-system-programs has it)."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip(f"no {name}: apt-get install {PACKAGE_OF[name]}")
    return path
