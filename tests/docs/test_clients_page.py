"""docs/clients.md tells the truth: its programs are run in its order, beside a server."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from soak.clients.node import NODE
from tests.serve_process import ServeProcess, environment, serving

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/clients.md").read_text()
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(python|js)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
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


def test_its_programs_do_what_it_says(server: ServeProcess, tmp_path: Path) -> None:
    (tmp_path / "tidemark").symlink_to(ROOT / "clients/js/src")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    said = [run(kind, text, server, tmp_path) for kind, text in BLOCKS]
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


def test_it_names_every_error_and_every_option_of_both() -> None:
    exported = (ROOT / "clients/js/src/index.js").read_text()
    errors = re.findall(r"export \{ (.*) \} from \"./errors.js\"", exported)[0].split(", ")
    # Invalid is the caller's own slip, TidemarkError what all of them are.
    assert not {name for name in errors if name not in PAGE} - {"Invalid", "TidemarkError"}
    assert all(word in PAGE for word in ("on_gap", "onGap", "on_trouble", "onTrouble", "patience_s", "transports"))
