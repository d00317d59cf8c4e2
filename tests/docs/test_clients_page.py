"""docs/clients.md tells the truth: its programs are run in its order, beside a server."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from soak.clients.node import NODE
from tests.docs.blocks import ROOT, Blocks, holds, runs
from tests.docs.shells import shell
from tests.serve_process import ServeProcess, environment, serving

PAGE = (ROOT / "docs/clients.md").read_text()
SAYS = (
    r"^\['order\.packed', 'order\.sent'\] \w{26}\n\w{26} order\.packed {'order': 1}\n\w{26} order\.sent {'order': 1}",
    r"^order\.sent \w{26}\norder\.paid \w{26}\n$",
    r"^\w{26} order\.paid { order: 3 }\n$",
    r"^422 This Idempotency-Key came with another body before\n$",
    r"^{'scheduled': {'id': 'sp_\w+', 'publish_at': '",
    r"^lost: \w{26} \w{26}\nand on: {'order': 4}\n\[Gap\(after='\w{26}', resume='\w{26}'\)\]\n$",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    with serving(tmp_path_factory.mktemp("docs") / "data", {"TIDEMARK_CHANNELS__TRIM_INTERVAL_S": "0.05"}) as running:
        running.create("orders")
        yield running


@runs("docs/clients.md#clients", "sh")
@runs("docs/clients.md", "python", "js")
def test_its_programs_do_what_it_says(server: ServeProcess, tmp_path: Path, blocks: Blocks) -> None:
    copy, *programs = blocks
    with shell(tmp_path, server.port) as bash:
        bash.type(copy.text)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    said = [run(block.kind, block.text, server, tmp_path) for block in programs]
    assert len(said) == len(SAYS)
    for got, expected in zip(said, SAYS, strict=True):
        assert re.match(expected, got), got


def run(kind: str, text: str, server: ServeProcess, folder: Path) -> str:
    """What a program of the page prints."""
    program = text.replace("http://127.0.0.1:8000", server.url).replace("TOKEN", repr(server.token("admin")))
    path = folder / f"program.{'py' if kind == 'python' else 'js'}"
    path.write_text(program)
    command = [sys.executable, "-W", "error"] if kind == "python" else [str(NODE)]
    done = subprocess.run(
        [*command, str(path)], cwd=folder, env=environment(), capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, f"{program}\n{done.stderr}"
    return done.stdout


@holds("docs/clients.md#clients", "sh")
def test_what_pip_fetches_is_what_the_client_imports(blocks: Blocks) -> None:
    folder = ROOT / "clients/python"
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    needed = {re.match(r"[\w-]+", each)[0] for each in project["dependencies"]}  # type: ignore[index]
    imported = {
        module.partition(".")[0]
        for path in (folder / "tidemark_client").glob("*.py")
        for module in re.findall(r"^\s*(?:from|import) (\w[\w.]*)", path.read_text(), re.MULTILINE)
    }
    assert imported - sys.stdlib_module_names - {"tidemark_client"} == needed
    assert blocks[0].commands == [["pip", "install", "./clients/python"]] and blocks[1]
    assert all(f" {name}" in blocks[0].text for name in needed)


def test_it_names_every_error_and_every_option_of_both() -> None:
    exported = (ROOT / "clients/js/src/index.js").read_text()
    errors = re.findall(r"export \{ (.*) \} from \"./errors.js\"", exported)[0].split(", ")
    # Invalid is the caller's own slip, TidemarkError what all of them are.
    assert not {name for name in errors if name not in PAGE} - {"Invalid", "TidemarkError"}
    assert all(word in PAGE for word in ("on_gap", "onGap", "on_trouble", "onTrouble", "patience_s", "transports"))
