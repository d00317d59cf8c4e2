"""The JavaScript client: its core against the cases, by Node's own test runner, and every file as Node reads it."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import pytest

from soak.clients.node import NODE
from tests.clients.bad_network import bad_network
from tests.serve_process import ServeProcess

FOLDER = Path(__file__).parents[2] / "clients/js"
SOURCES = sorted((FOLDER / "src").glob("*.js"))


def test_node_is_new_enough() -> None:
    version = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout
    assert int(version.removeprefix("v").split(".")[0]) >= 22


def test_its_core_does_what_every_core_does() -> None:
    command = [str(NODE), "--test", str(FOLDER / "test/cases.test.js")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    assert passed(done.stdout) > 60


async def test_its_face_against_a_server(shared_server: ServeProcess) -> None:
    async with bad_network(shared_server.port, holds_streams=True) as network:
        process = await asyncio.create_subprocess_exec(
            NODE,
            "--test",
            FOLDER / "test/face.test.js",
            env={
                **os.environ,
                "TIDEMARK_URL": shared_server.url,
                "TIDEMARK_BAD_URL": network.url,
                "TIDEMARK_TOKEN": shared_server.token("admin"),
                "TIDEMARK_STRANGER": shared_server.token("sub:other"),
            },
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 150)
    assert process.returncode == 0, out.decode()
    assert passed(out.decode()) > 15


def passed(said: str) -> int:
    """How many tests Node says to have passed."""
    found = re.search(r"^(?:#|ℹ) pass (\d+)", said, re.MULTILINE)
    assert found, said
    return int(found[1])


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
