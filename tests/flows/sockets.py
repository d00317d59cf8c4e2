"""What a socket is told next."""

import asyncio
import json
from typing import Any

from websockets.asyncio.client import ClientConnection

PATIENCE_S = 30


async def next_data(socket: ClientConnection) -> Any:
    """The data of the next event."""
    return json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))["data"]
