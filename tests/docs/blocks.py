"""The fenced blocks of every page, and which tests run or hold them: `.venv/bin/python -m tests.docs.blocks` lists all.

A test takes blocks by its decorator, and is handed them as `blocks`:

    @runs("docs/cuey.md", "sh")                      # all blocks of the page in this language
    @runs("docs/operations.md#backup")               # all below this heading, down to the next one
    @holds("docs/architecture.md#the-tree", "plain") # not run, but compared with what there is

It has to take each of them (a conftest looks). What no test names is typed by `test_every_block.py`. What cannot be run
here says so in the page, right above the block, in words for its reader:

    <!-- not run: needs a cloud account -->
"""

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, overload

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<kind>[\w.+-]*)")
HEADING = re.compile(r"^#+ (.*)")
MARKER = re.compile(r"^<!-- not run: (.+) -->$")
WORDS = ("runs", "holds")


class Block(NamedTuple):
    """A fenced block: where it is, its language (`plain` for none), what it says, and why it is not run, if so."""

    page: str
    line: int
    section: str
    kind: str
    text: str
    excuse: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line} ({self.kind})"

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command, where none has a quoted line break."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [words for line in lines if (words := shlex.split(line, comments=True))]


class Registration(NamedTuple):
    """What a test takes: blocks of a page, perhaps of one `#section`, in these languages, all where none is said."""

    test: str
    word: str
    place: str
    kinds: tuple[str, ...]

    def takes(self, block: Block) -> bool:
        """Whether the block is one of these. What says that it is not run can be held, but nobody runs it."""
        page, _, section = self.place.partition("#")
        if self.word == "runs" and block.excuse is not None:
            return False
        return block.page == page and section in ("", block.section) and (not self.kinds or block.kind in self.kinds)


class Blocks(Sequence[Block]):
    """The blocks that a test is handed; remembers which of them it took."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = tuple(blocks)
        self._taken: set[Block] = set()

    def __len__(self) -> int:
        return len(self._blocks)

    @overload
    def __getitem__(self, index: int) -> Block: ...
    @overload
    def __getitem__(self, index: slice) -> "Blocks": ...
    def __getitem__(self, index: int | slice) -> "Block | Blocks":
        if isinstance(index, slice):
            return Blocks([self[i] for i in range(*index.indices(len(self)))])
        self._taken.add(self._blocks[index])
        return self._blocks[index]

    @property
    def left(self) -> list[Block]:
        """Those that nobody took."""
        return [block for block in self._blocks if block not in self._taken]


def runs(place: str, *kinds: str) -> pytest.MarkDecorator:
    """The test has these blocks done, and looks at what comes of it."""
    return pytest.mark.runs(place, *kinds)


def holds(place: str, *kinds: str) -> pytest.MarkDecorator:
    """The test compares these blocks with what there is."""
    return pytest.mark.holds(place, *kinds)


def pages() -> list[str]:
    """Every page that people read, from the root of the repository."""
    found = [path for glob in ("*.md", "docs/**/*.md", "bench/*.md", "clients/*/*.md") for path in ROOT.glob(glob)]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page in their order."""
    return list(parse(page, (ROOT / page).read_text()))


def parse(page: str, text: str) -> Iterator[Block]:
    """The blocks of this text. Fences may be indented, as in lists; a section is named as in the site's links.

    Raises ValueError for a fence that is not closed.
    """
    lines, section, above, at = text.splitlines(), "", "", 0
    while at < len(lines):
        if fence := FENCE.match(lines[at]):
            end = at + 1
            while end < len(lines) and lines[end].strip() != fence["fence"]:
                end += 1
            if end == len(lines):
                raise ValueError(f"{page}:{at + 1} is not closed")
            body = "".join(f"{line.removeprefix(fence['indent'])}\n" for line in lines[at + 1 : end])
            excuse = MARKER.match(above.strip())
            yield Block(page, at + 1, section, fence["kind"] or "plain", body, excuse and excuse[1])
            at = end
        elif heading := HEADING.match(lines[at]):
            section = re.sub(r"[^\w\s-]", "", heading[1]).strip().lower().replace(" ", "-")
        above = lines[at] if at < len(lines) else ""
        at += 1


def registrations() -> list[Registration]:
    """What the decorators of all tests say, read from their source."""
    found: list[Registration] = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text()
        if any(f"\n@{word}(" in text for word in WORDS):
            found += registrations_of(str(path.relative_to(ROOT)), text)
    return found


def registrations_of(name: str, text: str) -> Iterator[Registration]:
    """What the decorators of the tests in this file say."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [each.arg for each in node.args.args]
            for call in (each for each in node.decorator_list if isinstance(each, ast.Call)):
                if isinstance(call.func, ast.Name) and call.func.id in WORDS:
                    assert node.name.startswith("test_") and "blocks" in arguments, f"{name} takes no blocks"
                    place, *kinds = (ast.literal_eval(each) for each in call.args)
                    yield Registration(f"{name}::{node.name}", call.func.id, place, tuple(kinds))


def wanted_by(item: pytest.Item) -> Blocks:
    """The blocks that a test's decorators name, in the order of the page."""
    marks: list[Any] = [mark for mark in item.iter_markers() if mark.name in WORDS]
    said = [Registration(item.name, mark.name, mark.args[0], tuple(mark.args[1:])) for mark in reversed(marks)]
    order = list(dict.fromkeys(each.place.partition("#")[0] for each in said))
    return Blocks([block for page in order for block in blocks_of(page) if any(each.takes(block) for each in said)])


def main() -> None:
    """Print every block with the tests that take it."""
    known = registrations()
    for block in (block for page in pages() for block in blocks_of(page)):
        takers = [f"{each.word} {each.test}" for each in known if each.takes(block)]
        print(f"{block}: {', '.join(takers) or block.excuse or 'typed by test_every_block'}")  # noqa: T201


if __name__ == "__main__":
    main()
