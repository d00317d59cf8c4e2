"""The close codes, with what a client does about each (`handlers.channels.close_codes`)."""

from typing import get_args

from handlers.channels.close_codes import CLOSE_CODES, Door
from reference.markdown import render_table


def render_close_codes() -> str:
    """The table, in the order of the codes."""
    rows = [
        [str(row.code), row.reason, ", ".join(door for door in get_args(Door) if door in row.doors), *row[3:]]
        for row in CLOSE_CODES
    ]
    return render_table(["Code", "Reason", "Doors", "Connect again", "Cursor", "Wait"], rows)
