"""Which events a person wants to see, beyond what the server filters by. Pure."""

import re
from typing import Any, NamedTuple

from broker.errors import Invalid


class Filter(NamedTuple):
    """All of it has to fit; None fits everything. `pattern` is looked for in the JSON of the data, as it is printed."""

    publisher: str | None = None
    subject: str | None = None
    pattern: re.Pattern[str] | None = None

    def wants(self, event: dict[str, Any], data_text: str) -> bool:
        """Whether this event is to be shown; `data_text` is its data as it would be."""
        if self.publisher is not None and event.get("publisher_id") != self.publisher:
            return False
        data = event.get("data")
        if self.subject is not None and (not isinstance(data, dict) or data.get("subject") != self.subject):
            return False
        return self.pattern is None or self.pattern.search(data_text) is not None


def parse_pattern(text: str | None) -> re.Pattern[str] | None:
    """A regular expression; raises `Invalid` for what is none."""
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise Invalid(f"{text} is no regular expression: {error}") from None
