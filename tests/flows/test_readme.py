"""Every command of the README does what it says there, in the order in which a newcomer types them."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil  # type: ignore[import-untyped]
import pytest

from tests.docs.blocks import Block, Blocks, runs
from tests.docs.shells import Shell, shell, until
from tests.serve_process import free_port

ULID = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"
FRAME = rf'\{{"id":"{ULID}".*"channel_id":"host-metrics","type":"host.metrics","data":\{{"load":\{{"1m":'


class Promise(NamedTuple):
    """What a block's output has to show, what is put behind its command here, and whether it goes on after that."""

    shows: str
    goes_on: bool = False
    here: str = ""


PROMISES = {
    "./run serve": Promise(r"Serving on http://127\.0\.0\.1:", goes_on=True),
    "./run test": Promise(r"\d+ passed", here=" -n 0 -p no:cacheprovider tests/broker/test_durations.py"),
    "python3 examples/host_metrics.py": Promise(ULID, goes_on=True, here=" --url http://127.0.0.1:8000"),
    "curl -s 'http": Promise(rf'"events":\[{FRAME}.*"cursor":"{ULID}"'),
    "curl -sN": Promise(rf"id: {ULID}\ndata: {FRAME}", goes_on=True),
    ".venv/bin/websockets": Promise(rf"< {FRAME}", goes_on=True),
    "./run tail host-metrics": Promise(rf"{ULID}  host\.metrics  ", goes_on=True),
    "./run channels create": Promise(rf'{ULID}  order\.paid  \{{"order":1,"status":"paid"\}}', goes_on=True),
    "./run token": Promise(r"^eyJ[\w.-]+\n$"),
    "curl -s http": Promise(rf'"id":"{ULID}".*"data":\{{"order":2,"status":"paid"\}},"publisher_id":"shop"'),
}


def in_their_order(blocks: Iterable[Block]) -> Iterator[Block]:
    """A newcomer serves first, and then publishes in another window while reading."""
    yield from sorted(blocks, key=lambda block: not block.text.startswith(("./run serve", "python3 examples")))


def do(block: Block, bash: Shell) -> None:
    """Type the block, and see what it promises."""
    [promise] = [promise for beginning, promise in PROMISES.items() if block.text.startswith(beginning)]
    out = bash.type(block.text.rstrip() + promise.here, goes_on=promise.goes_on)
    shows = re.compile(promise.shows, re.MULTILINE)
    until(lambda: shows.search(out.read_text()), lambda: f"{block} does not show {shows.pattern}: {out.read_text()}")


def server_beneath(pid: int) -> psutil.Process:
    """The server that this shell has started."""
    [server] = [each for each in psutil.Process(pid).children(recursive=True) if "serve" in each.cmdline()]
    return server


@pytest.mark.timeout(240)
@runs("README.md", "sh")
def test_its_commands_do_what_it_says(tmp_path: Path, blocks: Blocks) -> None:
    with shell(tmp_path, free_port()) as bash:
        for block in in_their_order(blocks):
            do(block, bash)
        server_beneath(bash.pid).terminate()
        # Fails unless the server's status is 0.
        bash.type("wait %1")
    assert (tmp_path / "data").is_dir(), "the data is where the caller was"
