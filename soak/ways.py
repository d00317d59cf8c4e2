"""How clients of the soak connect, how long they wait, and what a broken connection looks like to them."""

from typing import Any

import httpx2
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from soak.stage import Stage

ANSWER_S = 3.0
PAUSE_S = 0.05
PING_S = 2.0
PONG_S = 4.0
BROKEN = (ConnectionClosed, InvalidHandshake, InvalidMessage, OSError, EOFError, TimeoutError, httpx2.HTTPError)


def options_of(stage: Stage) -> dict[str, Any]:
    """Options of a WebSocket: as a careful client, it pings, and gives up what does not answer."""
    return {
        "additional_headers": stage.headers,
        "proxy": None,
        "compression": None,
        "open_timeout": ANSWER_S,
        "ping_interval": PING_S,
        "ping_timeout": PONG_S,
        "close_timeout": 0.5,
        "max_size": None,
    }
