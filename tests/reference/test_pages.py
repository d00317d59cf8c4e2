"""The generated parts of the documentation are what the code says: `./run reference` writes them."""

import re

from broker.config import Settings
from handlers.routes import CONNECTIONS_OF_ALL
from reference.markdown import names_in
from reference.pages import DOCS, GENERATED, drifted, pages
from tests.docs.blocks import Blocks, holds


def test_no_page_has_drifted() -> None:
    assert [str(page.relative_to(DOCS)) for page in drifted()] == [], "run ./run reference"


@holds("docs/calendars.md", "mermaid")
@holds("docs/cuey.md", "mermaid")
@holds("docs/lifecycle.md", "mermaid")
@holds("docs/live.md", "mermaid")
@holds("docs/reference/errors.md", "json")
@holds("docs/reference/states.md", "mermaid")
def test_every_diagram_and_every_error_body_is_a_generated_one(blocks: Blocks) -> None:
    made = [render() for render in GENERATED.values()]
    for block in blocks:
        fenced = f"```{block.kind}\n{block.text}```"
        assert any(fenced in text for text in made), f"{block} is not what the code says: run ./run reference"


def test_everything_that_is_generated_stands_on_a_page() -> None:
    assert {name for page in pages() for name in names_in(page.read_text())} == GENERATED.keys()


def test_every_section_and_every_key_is_explained_once() -> None:
    text = (DOCS / "reference/settings.md").read_text() + (DOCS / "reference/limits.md").read_text()
    assert sorted(re.findall(r"^## `\[(\w+)]`", text, re.MULTILINE)) == sorted(Settings.model_fields)
    for name, section in Settings():
        part = text[text.index(f"## `[{name}]`") :].split("\n## ")[0]
        assert re.findall(r"^\| `(\w+)`", part, re.MULTILINE) == list(type(section).model_fields)


def test_every_type_that_an_api_tells_is_on_the_page_once() -> None:
    text = (DOCS / "reference/events.md").read_text()
    told = [each.name for connection in CONNECTIONS_OF_ALL for each in connection.sends if "." in each.name]
    shown = re.findall(r"^\| `(\w+\.\w+\.\w+)` \| [A-Z]", text, re.MULTILINE)
    assert sorted(shown) == sorted(told)
    assert len(told) == len(set(told)) > 50


def test_every_table_has_cells_for_all_its_heads() -> None:
    for name, render in GENERATED.items():
        for table in re.findall(r"(?:^\|.*\n?)+", render(), re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(widths) == 1, name
