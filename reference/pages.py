"""What is generated, by the names that pages ask for it, and the pages that ask."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from reference import close_codes, errors, events, limits, settings, states
from reference.markdown import filled, names_in

DOCS = Path(__file__).parents[1] / "docs"
ON_LIMITS = ("limits", "rates")
"""The sections of settings that stand on the page of limits."""

GENERATED: dict[str, Callable[[], str]] = {
    "close-codes": close_codes.render_close_codes,
    "errors/channels": errors.render_statuses,
    "errors/engine": errors.render_engine_codes,
    **{f"errors/{api}": partial(errors.render_codes, api) for api in errors.CODES},
    **{f"error-body/{api}": partial(errors.render_body, api) for api in errors.ENVELOPES},
    "events/frame": events.render_frame,
    **{f"events/{name}": partial(events.render_types, name) for name in events.TOLD_ON},
    **{f"members/{name}": partial(events.render_members, name) for name in events.TOLD_ON},
    **{f"fixed/{api}": partial(limits.render_fixed, api) for api in limits.FIXED},
    **{f"calls/{api}": partial(limits.render_calls, api) for api in limits.TAGS},
    **{f"settings/{name}": partial(settings.render_section, name) for name in ON_LIMITS},
    "settings/others": partial(settings.render_others, ON_LIMITS),
    **{f"diagram/{api}": partial(states.render_diagram, api) for api in states.DIAGRAMS},
    **{f"states/{api}": partial(states.render_moves, api) for api in states.MOVES},
}


def pages() -> Iterator[Path]:
    """The pages that have a place for something."""
    return (page for page in sorted(DOCS.rglob("*.md")) if names_in(page.read_text()))


def drifted() -> dict[Path, str]:
    """The pages that are not what the code says, each with what it should be."""
    made = {page: filled(page.read_text(), GENERATED) for page in pages()}
    return {page: text for page, text in made.items() if text != page.read_text()}
