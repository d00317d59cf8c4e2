"""An ASGI extension of the WebSocket protocol: the app lets go of an accepted socket, and its coroutine ends.

A socket that only listens needs no coroutine: what is written to it is written by whoever has it, and what happens to
it is told to a `Listener`. So it costs its protocol object and its transport (performance.md 6: 2.4 KB, not 25).
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

_NAME = "tidemark.detach"


class Listener(Protocol):
    """Who is told what happens to a detached socket. What its client sends is read and dropped."""

    def full(self) -> None:
        """The write buffer is full: what is written from now on only waits."""
        ...

    def room(self) -> None:
        """There is room again."""
        ...

    def over(self) -> None:
        """The connection is lost, or its peer closes it: nothing more is written. Told once."""
        ...


class Detached(Protocol):
    """A socket without a coroutine."""

    @property
    def is_full(self) -> bool:
        """Whether the write buffer is full."""
        ...

    @property
    def write(self) -> Callable[[bytes], object]:
        """Writes ready frames, also while it is full; what it is given must be whole."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close it, behind everything that was written; the listener is told no more."""
        ...


class _Extension(NamedTuple):
    detach: Callable[[Listener], Detached]
    at_end: Callable[[Callable[[], None]], bool]


def detach_extension(
    detach: Callable[[Listener], Detached], at_end: Callable[[Callable[[], None]], bool]
) -> dict[str, Any]:
    """The entry for a scope's extensions. `at_end` answers False for a socket that is not detached."""
    return {_NAME: _Extension(detach, at_end)}


def detach_of(scope: Mapping[str, Any]) -> Callable[[Listener], Detached] | None:
    """What a scope offers, to be called once the socket is accepted; None on a server without the extension."""
    offered = scope.get("extensions", {}).get(_NAME)
    return None if offered is None else offered.detach


def at_end(scope: Mapping[str, Any], call: Callable[[], None]) -> None:
    """For whoever counts what is open: call it when the connection ends, now unless the socket was detached."""
    offered = scope.get("extensions", {}).get(_NAME)
    if offered is None or not offered.at_end(call):
        call()
