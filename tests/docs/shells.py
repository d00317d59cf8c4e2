"""A page is a session: its commands are typed in their order into one shell, beside a server."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.docs.blocks import ROOT, Block
from tests.docs.shapes import ID, is_alike, matches
from tests.programs import program
from tests.serve_process import FOR_TESTS, ServeProcess, environment, serving

PATIENCE_S = 120.0
AT_HOME = ("run", ".venv", "examples", "clients", "deploy")
SAFE = {"PIP_REQUIRE_VIRTUALENV": "1"}
"""No page installs anything on this machine."""

ADDRESS = "127.0.0.1:8000"
SERVE = "./run serve\n"
BEGINNING = """\
set -o pipefail
mkfifo silence && exec 9<> silence
trap 'echo "status $? of: $BASH_COMMAND" >> failed' ERR
"""


class Shell:
    """One shell in a directory with a server's data; each block's output is a file.

    `here` has what stands for what on this machine: text of pages, and what is typed instead.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", directory: Path, here: Mapping[str, str]) -> None:
        self._process = process
        self._directory = directory
        self._here = here
        self._count = 0
        self._write(BEGINNING)

    @property
    def pid(self) -> int:
        """The shell's process id."""
        return self._process.pid

    def _write(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def type(self, block: str, *, goes_on: bool = False) -> Path:
        """Have the block done, and be back when it is, or at once if it goes on by itself. Every command succeeds."""
        self._count += 1
        out, done = (self._directory / f"{self._count}.{end}" for end in ("out", "done"))
        out.touch()
        for shown, real in self._here.items():
            block = block.replace(shown, real)
        # A person who types nothing more, not one who has gone: some clients end with their input.
        way = f"<&9 > {out} 2>&1 &" if goes_on else f"< /dev/null > {out} 2>&1"
        self._write(f"{{\n{block}\n}} {way}\ntouch {done}\n")
        until(done.exists, lambda: f"{block} does not end: {out.read_text() if out.exists() else ''}")
        failed = self._directory / "failed"
        if failed.exists():
            raise AssertionError(f"{block}\n{failed.rename(out.with_suffix('.failed')).read_text()}\n{out.read_text()}")
        return out


def until(holds: Callable[[], Any], otherwise: Callable[[], str]) -> None:
    """Return when it holds; fail, with these words, when it never does."""
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, otherwise()
        time.sleep(0.02)


@contextmanager
def shell(directory: Path, port: int, here: Mapping[str, str] | None = None, **more: str) -> Iterator[Shell]:
    """A shell in this directory, in which the commands of pages reach the server at this port."""
    program("curl")
    for name in AT_HOME:
        if not (directory / name).exists():
            (directory / name).symlink_to(ROOT / name)
    process = subprocess.Popen(
        [program("bash")],
        cwd=directory,
        env=environment(**FOR_TESTS, **SAFE, TIDEMARK_SERVER__PORT=str(port), **more),
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Shell(process, directory, {**(here or {}), ADDRESS: f"127.0.0.1:{port}"})
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        assert process.stdin is not None
        process.stdin.close()


class Session:
    """A page's commands beside a server; an id that the page shows stands for one real id."""

    def __init__(self, server: ServeProcess, bash: Shell, directory: Path) -> None:
        self.server = server
        self.directory = directory
        self._bash = bash
        self._real: dict[str, str] = {}

    def begin(self, block: Block) -> Path:
        """Type a block that goes on by itself; the file of what it shows."""
        return self._bash.type(self._really(block.text), goes_on=True)

    def type(self, block: Block) -> str:
        """Type a block; what it shows."""
        return self._bash.type(self._really(block.text)).read_text()

    def check(self, block: Block, came: str) -> None:
        """Fail unless this is what the block shows, by shape."""
        came = came.replace(f"127.0.0.1:{self.server.port}", ADDRESS)
        if block.kind == "json":
            is_so = matches(json.loads(block.text), json.loads(came), self._real)
        else:
            is_so = is_alike(block.text.strip(), came.strip(), self._real)
        assert is_so, f"{block} shows\n{block.text}\nbut it is\n{came}"

    def all(self, blocks: Iterable[Block]) -> list[str]:
        """Type all in their order, and compare what the page shows below a command; what the commands show.

        `./run serve` is there already.
        """
        shown: list[str] = []
        for block in blocks:
            if block.kind != "sh":
                self.check(block, shown[-1])
            elif block.text != SERVE:
                shown.append(self.type(block))
        return shown

    def read(self, name: str) -> Any:
        """The JSON in a file that the commands made."""
        return json.loads((self.directory / name).read_text())

    def _really(self, text: str) -> str:
        return ID.sub(lambda match: self._real.setdefault(match[0], match[0]), text)


@contextmanager
def session(
    directory: Path,
    environ: Mapping[str, str] | None = None,
    *,
    here: Mapping[str, str] | None = None,
    is_strict: bool = False,
) -> Iterator[Session]:
    """A server with these settings, and a shell beside it; in a strict one a call that is refused is a failure."""
    if is_strict:
        (directory / ".curlrc").write_text("fail-with-body\n")
    with (
        serving(directory / "data", environ) as server,
        shell(directory, server.port, here, CURL_HOME=str(directory)) as bash,
    ):
        yield Session(server, bash, directory)


def answers(text: str) -> list[Any]:
    """The JSON values that commands have printed one after the other; other words before the first are passed over."""
    found, decoder, at = [], json.JSONDecoder(), text.find("{")
    while 0 <= at < len(text):
        value, at = decoder.raw_decode(text, at)
        found.append(value)
        at += len(text[at:]) - len(text[at:].lstrip())
    return found
