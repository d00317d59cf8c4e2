"""Every block of every page is run, or held by what there is, or says above itself why it cannot be run here.

A block whose test is elsewhere is named there by a decorator (`tests/docs/blocks.py`). What nobody names is typed here:
the commands of a page in their order, in one shell beside a server, each of which has to succeed, and what the page
shows below a command has to be what came. So a page whose commands need nothing but a server needs no test of its own.
"""

import re
from pathlib import Path

import pytest

from tests.docs.blocks import (
    ROOT,
    Block,
    Blocks,
    Registration,
    blocks_of,
    pages,
    parse,
    registrations,
    registrations_of,
)
from tests.docs.shells import session

REGISTERED = registrations()
STRAY = re.compile(r"\s*<!-- not run|(?: {4}|\t)\S|\s*<pre\b")
OWN_PAGE = "tests/docs/sample_page.md"
ANSWERS = ("json", "text")
MOST_EXCUSED = 4
"""Blocks that need what this machine cannot have. Try to run yours before you make this more."""


def takers(block: Block, known: list[Registration]) -> list[str]:
    """The tests that take a block."""
    return [each.test for each in known if each.takes(block)]


def typed_here(page: str) -> list[Block]:
    """The blocks of a page that no test takes: commands, and what is shown below them."""
    return [block for block in blocks_of(page) if block.excuse is None and not takers(block, REGISTERED)]


def unaccounted(blocks: list[Block], known: list[Registration]) -> list[str]:
    """What is wrong with the blocks of a page, each with its place."""
    wrong = []
    follows_a_command = False
    for block in blocks:
        is_taken, is_command = bool(takers(block, known)), block.kind == "sh"
        is_answer = block.kind in ANSWERS and follows_a_command
        if block.excuse is not None:
            if len(block.excuse.split()) < 3:
                wrong.append(f"{block} does not say why it is not run")
        elif not (is_taken or is_command or is_answer):
            wrong.append(f"{block} is run by nobody and held by nobody: see tests/docs/blocks.py")
        follows_a_command = block.excuse is None and not is_taken and (is_command or follows_a_command)
    return wrong


def strays(page: str, text: str) -> list[str]:
    """What would escape the rest: markers that stand above no block, and code that stands in no fence."""
    blocks = list(parse(page, text))
    fenced = {line for each in blocks for line in range(each.line, each.line + each.text.count("\n") + 2)}
    marked = {each.line - 1 for each in blocks if each.excuse is not None}
    found = []
    for at, line in enumerate(text.splitlines(), 1):
        if at not in fenced and at not in marked and STRAY.match(line):
            found.append(f"{page}:{at} is a marker above no block, or code in no fence: {line.strip()}")
    return found


@pytest.mark.parametrize("page", pages())
def test_every_block_is_run_or_held_or_says_why_not(page: str) -> None:
    assert not unaccounted(blocks_of(page), REGISTERED)


def test_nothing_escapes_by_its_form() -> None:
    assert not [wrong for page in pages() for wrong in strays(page, (ROOT / page).read_text())]


def test_what_cannot_be_run_is_little() -> None:
    assert len([block for page in pages() for block in blocks_of(page) if block.excuse is not None]) <= MOST_EXCUSED


def test_every_test_that_names_blocks_names_some_that_there_are() -> None:
    blocks = [block for page in pages() for block in blocks_of(page)]
    assert len(REGISTERED) > 10
    assert not [each for each in REGISTERED if not any(each.takes(block) for block in blocks)]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("page", [OWN_PAGE, *(page for page in pages() if typed_here(page))])
def test_commands_that_no_other_test_takes_do_what_their_page_says(page: str, tmp_path: Path) -> None:
    with session(tmp_path, is_strict=True) as typed:
        typed.all(typed_here(page))
        if page == OWN_PAGE:
            refused = block_of("sh", "curl -s http://127.0.0.1:8000/api/v1/channels/none/events")
            with pytest.raises(AssertionError, match="status 22 of: curl"):
                typed.all([refused])
            with pytest.raises(AssertionError, match=r"page\.md:2 \(text\) shows"):
                typed.all([block_of("sh", "echo one"), block_of("text", "other")])


def block_of(kind: str, text: str) -> Block:
    """A page of this block."""
    [block] = parse("page.md", f"\n```{kind}\n{text}\n```\n")
    return block


SAMPLE = """\
# A page

```sh
./run serve
```

## Its answers!

- in a list:

  ```json
  {"a": 1}
  ```

<!-- not run: needs a data centre -->
```sh
deploy everything
```

```mermaid
pie
```

~~~python
print("```")
~~~
"""


def test_blocks_are_found_with_their_places_languages_and_excuses() -> None:
    found = list(parse("page.md", SAMPLE))
    assert [(each.line, each.section, each.kind, each.excuse) for each in found] == [
        (3, "a-page", "sh", None),
        (11, "its-answers", "json", None),
        (16, "its-answers", "sh", "needs a data centre"),
        (20, "its-answers", "mermaid", None),
        (24, "its-answers", "python", None),
    ]
    assert [found[1].text, found[4].text] == ['{"a": 1}\n', 'print("```")\n']


def test_a_block_that_nobody_accounts_for_is_told_with_its_line() -> None:
    found = list(parse("page.md", SAMPLE))
    assert [wrong.split(" is ")[0] for wrong in unaccounted(found, [])] == [
        "page.md:20 (mermaid)",
        "page.md:24 (python)",
    ]
    known = list(registrations_of("test_page.py", TEST_OF_SAMPLE))
    assert unaccounted(found, known) == []
    assert [str(each) for each in found if takers(each, known[:1])] == ["page.md:3 (sh)"]


def test_blocks_that_a_test_did_not_take_are_known() -> None:
    found = Blocks(list(parse("page.md", SAMPLE)))
    assert [found[0].line, *(each.line for each in found[3:])] == [3, 20, 24]
    assert [each.line for each in found.left] == [11, 16]


def test_what_says_that_it_is_not_run_is_run_by_nobody() -> None:
    *_, marked, _, _ = parse("page.md", SAMPLE)
    assert not takers(marked, [Registration("a test", "runs", "page.md", ())])
    assert takers(marked, [Registration("a test", "holds", "page.md", ())]) == ["a test"]


TEST_OF_SAMPLE = """
@runs("page.md#a-page")
@holds("page.md#its-answers", "mermaid", "python", "sh", "json")
def test_it(blocks: Blocks) -> None: ...
"""


def test_an_answer_needs_a_command_above_it_that_is_typed() -> None:
    first, answer, *_ = parse("page.md", SAMPLE)
    assert unaccounted([first, answer], []) == []
    taken = [Registration("a test", "runs", "page.md", ("sh",))]
    assert len(unaccounted([first, answer], taken)) == len(unaccounted([answer], [])) == 1


def test_a_marker_needs_words_and_a_block() -> None:
    page = "<!-- not run: later -->\n```sh\nx\n```\n<!-- not run: needs a data centre -->\n\n```sh\ny\n```\n"
    assert [wrong.split(" ")[0] for wrong in unaccounted(list(parse("p.md", page)), [])] == ["p.md:2"]
    assert [wrong.split(" ")[0] for wrong in strays("p.md", page)] == ["p.md:5"]


def test_code_needs_a_fence_that_is_closed() -> None:
    assert not strays("p.md", SAMPLE)
    page = "    ./run serve\n\n<pre>\nx\n</pre>\n"
    assert [wrong.split(" ")[0] for wrong in strays("p.md", page)] == ["p.md:1", "p.md:3"]
    with pytest.raises(ValueError, match=r"p\.md:2 is not closed"):
        list(parse("p.md", "text\n```sh\n./run serve\n"))
