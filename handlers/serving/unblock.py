"""An ASGI extension of both protocols: one more thing to say to a client that does not read.

`send` waits while the write buffer is full. An app that has to end such a connection and wants to say why calls the
extension: from then on `send` writes, whatever the buffer holds. A `send` that waits goes on too, so the app must bound
what it sends at once. The buffer drains, or the stall watch ends the connection.
"""

from collections.abc import Callable, Mapping
from typing import Any

Unblock = Callable[[], None]

_NAME = "tidemark.unblock"


def unblock_extension(unblock: Unblock) -> dict[str, dict[object, object]]:
    """The entry for a scope's extensions."""
    return {_NAME: {"unblock": unblock}}


def unblock_of(scope: Mapping[str, Any]) -> Unblock:
    """What a scope offers; does nothing on a server without the extension."""
    offered = scope.get("extensions", {}).get(_NAME)
    return (lambda: None) if offered is None else offered["unblock"]
