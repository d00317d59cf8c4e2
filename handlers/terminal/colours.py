"""Colours for a person's terminal: only where it is one, and only where the person wants them. Pure.

`NO_COLOR` (https://no-color.org) turns them off whatever it says, as long as it says something; so does `TERM=dumb`.
"""

import zlib
from collections.abc import Mapping
from typing import Literal

import click

When = Literal["auto", "always", "never"]
TYPE_COLOURS = ("green", "yellow", "blue", "magenta", "cyan", "bright_green", "bright_blue", "bright_magenta")


def wants_colour(when: When, environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Whether to colour: as was said, else for a terminal whose environment does not forbid it."""
    if when != "auto":
        return when == "always"
    return is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def coloured(time: str, event_id: str, kind: str, data: str) -> tuple[str, str, str, str]:
    """The parts of an event's line, the data as they are; a type has the same colour always."""
    colour = TYPE_COLOURS[zlib.crc32(kind.encode()) % len(TYPE_COLOURS)]
    return click.style(time, dim=True), click.style(event_id, dim=True), click.style(kind, fg=colour, bold=True), data
