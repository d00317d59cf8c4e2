"""How clients of the soak connect, how long they wait, and what a broken connection looks like to them."""

import ssl
from typing import Any

import httpx2
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from soak.stage import Stage

ANSWER_S = 3.0
OPEN_S = 15.0
PAUSE_S = 0.05
PING_S = 2.0
PONG_S = 4.0
FOR_NOW = (429, 503)
"""Refusals that pass."""

UNUSED_TLS = ssl.create_default_context()
"""Made once: each client would make its own otherwise, which takes more time than most of its requests."""

BROKEN = (ConnectionClosed, InvalidHandshake, InvalidMessage, OSError, EOFError, TimeoutError, httpx2.HTTPError)


def http_client(stage: Stage, base_url: str = "", *, timeout_s: float = ANSWER_S) -> httpx2.AsyncClient:
    """A client with the token of the run, that makes no detours."""
    return httpx2.AsyncClient(
        base_url=base_url, headers=stage.headers, trust_env=False, timeout=timeout_s, verify=UNUSED_TLS
    )


def options_of(stage: Stage) -> dict[str, Any]:
    """Options of a WebSocket: as a careful client, it pings, and gives up what does not answer."""
    return {
        "additional_headers": stage.headers,
        "proxy": None,
        "compression": None,
        "open_timeout": OPEN_S,
        "ping_interval": PING_S,
        "ping_timeout": PONG_S,
        "close_timeout": 0.5,
        "max_size": None,
    }
