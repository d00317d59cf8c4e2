"""What the core asks of a face: one of these at a time, each answered by a call of the core. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from tidemark_client.answers import Answer, Call
from tidemark_client.errors import TidemarkError
from tidemark_client.ways import Transport


class Pause(NamedTuple):
    """Wait so long, then ask for the next step."""

    seconds: float


class Ask(NamedTuple):
    """Make this call; then `on_answer`, or `on_failure` where none came in time."""

    call: Call


class Open(NamedTuple):
    """Open a socket or a stream at `path`; then `on_open` and what comes, or `on_refusal`, or `on_failure`."""

    transport: Transport
    path: tuple[str, ...]
    query: Mapping[str, str]


class Done(NamedTuple):
    """The answer of a call that was made until there was one."""

    answer: Answer


class Finish(NamedTuple):
    """It is over: raise this."""

    error: TidemarkError


Step = Pause | Ask | Open | Finish
