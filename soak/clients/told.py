"""What a driver is asked, and what it tells: lines of JSON, the same for every language. Pure.

Asked on its command line, one JSON object: `url`, `token`, `name`, `channel`, `cursor`, `timing` (seconds, by Python's
names), `readers` (a list of `name`, `transports`, `types`). A line on its standard input tells it to publish no more.

Told on its standard output, one line each, with the monotonic clock of the machine as `at_s`:

    {"began": [[name, type], ...]}             a publish begins, of these events
    {"acked": [id, ...]}                       that publish is acknowledged
    {"stopped": true}                          it publishes no more
    {"seen": {...}, "reader": name}            a reader was given an event
    {"gap": [after, resume], "reader": name}   it was told of a gap
    {"done": name}                             it saw the last event
    {"trouble": text}                          something had to be tried again
    {"failed": text}                           something ended that should not
"""

from dataclasses import dataclass, field
from typing import Any

from soak.history import Gap, History, Publish, Reading, Seen, parse_event


@dataclass
class Driver:
    """One driver's part of the history; `troubles` counts how often it had to try again or come back."""

    name: str
    channel: str
    history: History
    readings: dict[str, Reading]
    troubles: int = 0
    is_stopped: bool = False
    done: set[str] = field(default_factory=set)
    _current: Publish | None = None

    def take(self, told: dict[str, Any]) -> None:
        """Take in one line; raises `ValueError` for one that says nothing known."""
        at_s = told["at_s"]
        match told:
            case {"began": events}:
                pairs = tuple((name, kind) for name, kind in events)
                self._current = Publish(self.name, self.channel, pairs, at_s, tries=1)
                self.history.publishes.append(self._current)
            case {"acked": ids} if self._current is not None:
                self._current.ids, self._current.acked_s = tuple(ids), at_s
            case {"seen": fields, "reader": reader}:
                self.readings[reader].steps.append(Seen(parse_event(fields), at_s))
            case {"gap": [_, resume], "reader": reader}:
                self.readings[reader].steps.append(Gap(resume, at_s))
            case {"trouble": _}:
                self.troubles += 1
            case {"failed": text}:
                self.history.remarks.append(f"{self.name}: {text}")
            case {"stopped": True}:
                self.is_stopped = True
            case {"done": reader}:
                self.done.add(reader)
            case _:
                raise ValueError(f"{self.name} told {told}")
