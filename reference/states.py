"""The state machines: their diagrams, and the same as tables."""

from enum import Enum

from handlers.calendar import diagram as calendar_diagram
from handlers.calendar import machine as calendar
from handlers.calendar.calendar_event import Status as CalendarStatus
from handlers.cuey import diagram as cuey_diagram
from handlers.cuey import machine as cuey
from handlers.lifecycle import diagram as lifecycle_diagram
from handlers.lifecycle import machine as lifecycle
from handlers.live import diagram as live_diagram
from handlers.live import machine as live
from reference.markdown import code, render_table

DIAGRAMS = {
    "lifecycle": lifecycle_diagram.render_mermaid,
    "live": live_diagram.render_mermaid,
    "calendars": calendar_diagram.render_mermaid,
    "cuey": cuey_diagram.render_mermaid,
}

MOVES: dict[str, list[tuple[str, str, str]]] = {
    "lifecycle": [(status.name, command.value, move.to.name) for (status, command), move in lifecycle.TABLE.items()],
    "live": [(status.value, command.value, after.value) for (status, command), after in live.TABLE.items()],
    "calendars": [
        *((CalendarStatus.HOLD.value, word.value, after.value) for word, (after, _, _) in calendar.TABLE.items()),
        *((one.value, "PATCH", other.value) for one in calendar.FREE for other in calendar.FREE),
    ],
    "cuey": [
        (status.value, step.value, "" if after is None else after.value) for (status, step), after in cuey.TABLE.items()
    ],
}
"""From which status, by what, to which; empty for what is gone."""

STATUSES: dict[str, type[Enum]] = {
    "lifecycle": lifecycle.Status,
    "live": live.Status,
    "calendars": CalendarStatus,
    "cuey": cuey.Status,
}


def render_diagram(api: str) -> str:
    """The diagram, as pages show it."""
    return f"```mermaid\n{DIAGRAMS[api]()}\n```"


def render_moves(api: str) -> str:
    """All statuses against all that moves them: where it leads, empty where it is refused."""
    moves = {(status, by): code(to) or "gone" for status, by, to in MOVES[api]}
    if api == "calendars":
        moves |= {(status.value, "PATCH"): "any but `hold`" for status in calendar.FREE}
    commands = list(dict.fromkeys(by for _, by, _ in MOVES[api]))
    statuses = [each.name if api == "lifecycle" else str(each.value) for each in STATUSES[api]]
    rows = [[code(status), *(moves.get((status, by), "") for by in commands)] for status in statuses]
    return render_table(["In", *map(code, commands)], rows)
