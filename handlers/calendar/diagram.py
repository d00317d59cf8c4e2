"""The state diagram of the documentation, drawn from the table (docs/calendars.md). Pure."""

from handlers.calendar.calendar_event import Status
from handlers.calendar.machine import FREE, TABLE


def render_mermaid() -> str:
    """A Mermaid state diagram: what may be created, how a hold ends, and what a PATCH does."""
    lines = ["stateDiagram-v2", *(f"    [*] --> {status}: POST" for status in Status)]
    lines += [f"    {Status.HOLD} --> {status}: {command}" for command, (status, _, _) in TABLE.items()]
    lines += [f"    {one} --> {other}: PATCH" for one in FREE for other in FREE if one is not other]
    lines += [f"    {status} --> [*]: DELETE" for status in Status]
    return "\n".join(lines)
