"""Tables in Markdown, and the places in pages that hold what is generated. Pure.

A place begins with `<!-- generated: NAME -->` and ends with `<!-- end -->`, each on a line of its own.
"""

import re
from collections.abc import Callable, Mapping, Sequence

PLACE = re.compile(r"^(<!-- generated: ([\w/-]+) -->\n)(.*?)^(<!-- end -->)$", re.MULTILINE | re.DOTALL)


def render_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; a bar in a cell is escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") or " " for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """As code, or nothing for nothing."""
    return f"`{text}`" if text else ""


def names_in(page: str) -> list[str]:
    """What is generated on a page, in its order."""
    return [name for _, name, _, _ in PLACE.findall(page)]


def filled(page: str, generated: Mapping[str, Callable[[], str]]) -> str:
    """The page with each place filled anew; raises `KeyError` for a name that nothing is generated under."""
    return PLACE.sub(lambda place: f"{place[1]}\n{generated[place[2]]()}\n\n{place[4]}", page)
