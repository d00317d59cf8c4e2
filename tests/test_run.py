"""`./run` itself: what it does with its words, where it works, and what it takes for installed."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.serve_process import environment

ROOT = Path(__file__).parents[1]


def run(*words: str, root: Path = ROOT, cwd: Path | None = None, **environ: str) -> "subprocess.CompletedProcess[str]":
    """The outcome of `./run` with these words."""
    command = [str(root / "run"), *words]
    return subprocess.run(
        command, cwd=cwd or root, env=environment(**environ), input="", capture_output=True, text=True, timeout=50
    )


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_it_lists_its_commands(words: list[str]) -> None:
    done = run(*words)
    assert done.returncode in (0, 2), done.stderr
    for command in ("serve", "token", "publish", "tail", "channels", "./run test", "./run check"):
        assert re.search(rf"^ +{command} ", done.stdout + done.stderr, re.MULTILINE)


def test_an_unknown_command_is_a_usage_error() -> None:
    done = run("nonsense")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No such command 'nonsense'" in done.stderr


def test_it_works_on_the_data_of_the_folder_that_it_is_called_from(tmp_path: Path) -> None:
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers" / "__init__.py").write_text("raise SystemExit('the wrong code')")
    done = run("token", "--scope", "admin", "--data", "d", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("eyJ") and done.stdout.count("\n") == 1
    assert (tmp_path / "d" / "signing_key.json").exists()


def test_it_is_found_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(ROOT / "run")
    assert run("--help", root=tmp_path).returncode == 0


def test_the_tests_run_in_the_project_wherever_it_is_called_from(tmp_path: Path) -> None:
    words = ["-n", "0", "-p", "no:cacheprovider", "--collect-only", "tests/broker/test_durations.py"]
    done = run("test", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def copied(tmp_path: Path) -> Path:
    """A folder with `./run`, the locks, and an environment that has nothing but a Python."""
    root = tmp_path / "copy"
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").symlink_to(sys.executable)
    shutil.copy(ROOT / "run", root)
    shutil.copytree(ROOT / "requirements", root / "requirements")
    return root


def inside(root: Path) -> dict[str, Any]:
    """What the program of this folder is made of."""
    return runpy.run_path(str(root / "run"))


def test_what_developers_have_is_enough_to_serve_but_not_the_other_way_round(tmp_path: Path) -> None:
    root = copied(tmp_path)
    program, stamp = inside(root), root / ".venv" / "installed.json"
    for lock, is_enough in (("dev", {"serve": True, "dev": True}), ("serve", {"serve": True, "dev": False})):
        stamp.write_text(json.dumps(program["stamp_of"](lock)))
        assert {wanted: program["is_installed"](wanted) for wanted in ("serve", "dev")} == is_enough


def test_an_environment_of_another_lock_python_or_folder_counts_for_nothing(tmp_path: Path) -> None:
    root = copied(tmp_path)
    program, stamp = inside(root), root / ".venv" / "installed.json"
    good = program["stamp_of"]("serve")
    texts = [json.dumps({**good, name: "other"}) for name in good] + [json.dumps(good)[:-5], "null", ""]
    for text in texts:
        stamp.write_text(text)
        assert not program["is_installed"]("serve"), text
    stamp.write_text(json.dumps(good))
    assert program["is_installed"]("serve")
    with (root / "requirements" / "serve.lock").open("a") as lock:
        lock.write("# changed\n")
    assert not program["is_installed"]("serve")


def test_a_half_made_environment_is_made_anew_and_a_failure_is_told(tmp_path: Path) -> None:
    """On a Python without ensurepip, as Debian's without python3-venv: there the system's pip has to do."""
    root = copied(tmp_path)
    (tmp_path / "lacks").mkdir()
    (tmp_path / "lacks" / "ensurepip.py").write_text("raise ImportError")
    (root / ".venv" / "left-over").touch()
    done = run("serve", root=root, PIP_NO_INDEX="1", PIP_FIND_LINKS=os.devnull, PYTHONPATH=str(tmp_path / "lacks"))
    assert (done.returncode, done.stdout) == (1, ""), "stdout is the command's own"
    assert done.stderr.startswith("Installing requirements/serve.lock into .venv\n")
    assert done.stderr.endswith("The dependencies could not be installed: see pip's message above.\n")
    assert not (root / ".venv" / "left-over").exists() and not (root / ".venv" / "installed.json").exists()
