"""The end of a process that loses nothing: everybody who holds a connection open is told, and closes it."""

import asyncio


class Drain:
    """Begins once and is never taken back. The app reads `started` for readiness and waits for its beginning.

    Who serves held-open connections (sockets, SSE, long polls) closes them after `wait` returns, spread over
    `[server] drain_s`; what is still open after that is closed by the server.
    """

    def __init__(self) -> None:
        self._begun = asyncio.Event()

    @property
    def started(self) -> bool:
        """Whether the drain has begun."""
        return self._begun.is_set()

    async def wait(self) -> None:
        """Return when the drain begins, at once if it has."""
        await self._begun.wait()

    def begin(self) -> None:
        """Tell everybody. Called by the server when it has been asked to stop."""
        self._begun.set()
