"""The state diagram of the documentation, drawn from the table (docs/lifecycle.md). Pure."""

from handlers.lifecycle.machine import TABLE, Status


def render_mermaid() -> str:
    """A Mermaid state diagram of the table; repeats are loops."""
    lines = ["stateDiagram-v2", f"    [*] --> {Status.StatusPending.name}: Create"]
    for (status, command), move in TABLE.items():
        note = " (repeat)" if move.to is status else ""
        lines.append(f"    {status.name} --> {move.to.name}: {command}{note}")
    lines += [f"    {status.name} --> [*]" for status in Status if status.is_terminal]
    return "\n".join(lines)
