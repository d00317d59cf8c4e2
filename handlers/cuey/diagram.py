"""The state diagram of the documentation, drawn from the table (docs/cuey.md). Pure."""

from handlers.cuey.machine import TABLE, Status


def render_mermaid() -> str:
    """A Mermaid state diagram of the table."""
    lines = ["stateDiagram-v2", "    [*] --> pending: create", "    [*] --> processing: retry of one that failed"]
    for (status, step), after in TABLE.items():
        lines.append(f"    {status} --> {after or '[*]'}: {step}")
    lines += [f"    {status} --> [*]" for status in Status if status.is_terminal]
    return "\n".join(lines)
