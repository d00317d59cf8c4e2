"""The state diagram of the documentation, drawn from the table (docs/live.md). Pure."""

from handlers.live.machine import TABLE, Status


def render_mermaid() -> str:
    """A Mermaid state diagram of the table. `failed` is left out: every status before the end may lead there."""
    lines = ["stateDiagram-v2", "    [*] --> scheduled: create", "    [*] --> ready: create"]
    for (status, command), after in TABLE.items():
        if after is not Status.FAILED and status is not Status.DRAFT:
            lines.append(f"    {status} --> {after}: {command}")
    lines += [f"    {status} --> [*]" for status in (Status.ENDED, Status.CANCELLED)]
    return "\n".join(lines)
