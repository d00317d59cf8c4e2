"""A socket or a stream that is opened: when to look after it, and whether anything came on it. Pure."""

import json
from typing import Any

from tidemark_client.endings import Close
from tidemark_client.errors import Cut
from tidemark_client.sse import StreamParser
from tidemark_client.ways import Transport


class Connection:
    """One connection. `is_behind` tells that HTTP has events after `asked` that have not come on it yet."""

    def __init__(self, way: Transport, since_s: float, due_s: float) -> None:
        self.way = way
        self.since_s = since_s
        self.due_s = due_s
        self.has_spoken = False
        self.is_behind = False
        self.asked = ""
        self.stream = StreamParser()


def close_of_stream(text: str) -> Close:
    """The content of a stream's event `close`; raises `Cut` for what is none."""
    try:
        told: Any = json.loads(text)
        return Close(int(told["code"]), str(told["reason"]), told["cursor"])
    except (ValueError, KeyError, TypeError):
        raise Cut("The stream ended without saying how: is this a Tidemark server?") from None
