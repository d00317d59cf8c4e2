"""A chat to open in two browsers: rooms are channels, and the page gets a token of its own for each room.

    .venv/bin/python -m examples.chat --token $(./run token --scope admin)

The administrator's token stays here. Who enters a room asks this server, which stands for an application that knows
its users: it makes the room's channel and has the broker mint a token that is good for that room, that name and an
hour. The page talks to the broker with nothing else. Messages go by the broker, not by this server.
"""

import argparse
import re
import secrets
from contextlib import suppress
from threading import Event
from typing import Any

from examples.own_channel import ensure_channel
from examples.page_server import serving_page
from tidemark_client import Client

ROOM = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?")
MOST_NAME = 40


class Door:
    """Lets people into rooms."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def enter(self, asked: Any) -> dict[str, str]:
        """The channel of a room and a token for it; raises ValueError for a name or a room that is none."""
        name, room = (asked.get(key) if isinstance(asked, dict) else None for key in ("name", "room"))
        if not isinstance(name, str) or not 1 <= len(name.strip()) <= MOST_NAME or not name.isprintable():
            raise ValueError(f"a name has 1 to {MOST_NAME} characters")
        if not isinstance(room, str) or ROOM.fullmatch(room) is None:
            raise ValueError("a room is of letters a to z, digits and dashes")
        channel = f"chat-{room}"
        ensure_channel(self._client, channel, channel, is_public=False)
        scopes = [f"pub:{channel}", f"sub:{channel}"]
        # Two who take the same name are still two.
        wanted = {"scopes": scopes, "sub": f"guest-{secrets.token_hex(4)}", "name": name.strip(), "expires_in": "1h"}
        return {"channel": channel, "token": self._client.request("POST", "tokens", json=wanted)["token"]}


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--token", required=True, help="a token with the scope admin")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="the broker [%(default)s]")
    parser.add_argument("--port", type=int, default=8011, help="where the page is served [%(default)s]")
    parser.add_argument("--for-s", type=float, default=None, help="stop after so many seconds")
    options = parser.parse_args()
    with Client(options.url, token=options.token) as client:
        calls = {"/enter": Door(client).enter}
        with serving_page("chat", options.port, options.url, calls) as page:
            print(f"Chat at {page}", flush=True)
            Event().wait(options.for_s)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
