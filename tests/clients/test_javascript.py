"""The JavaScript client: its core against the cases, by Node's own test runner, and every file as Node reads it."""

import re
import subprocess
from pathlib import Path

import pytest

from soak.clients.node import NODE

FOLDER = Path(__file__).parents[2] / "clients/js"
SOURCES = sorted((FOLDER / "src").glob("*.js"))


def test_node_is_new_enough() -> None:
    version = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout
    assert int(version.removeprefix("v").split(".")[0]) >= 22


def test_its_core_does_what_every_core_does() -> None:
    tests = sorted(map(str, (FOLDER / "test").glob("*.test.js")))
    done = subprocess.run([NODE, "--test", *tests], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    passed = re.search(r"^# pass (\d+)|^ℹ pass (\d+)", done.stdout, re.MULTILINE)
    assert passed and int(passed[1] or passed[2]) > 60


def test_it_needs_no_package_and_imports_only_its_own_files() -> None:
    for path in SOURCES:
        imported = re.findall(r"""(?:from|import)\s*\(?\s*["']([^"']+)["']""", path.read_text())
        assert all((path.parent / name).is_file() for name in imported), path


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_a_source_file_is_one_small_room(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 300
    assert lines[0].startswith("// "), "a module says what it promises"
    assert max(map(len, lines)) <= 120


def test_its_types_name_all_that_it_exports() -> None:
    exported = re.findall(r"export \{ (.*) \} from", (FOLDER / "src/index.js").read_text())
    names = {name.strip() for each in exported for name in each.split(",")}
    declared = set(re.findall(r"^export class (\w+)", (FOLDER / "src/index.d.ts").read_text(), re.MULTILINE))
    assert names == declared
