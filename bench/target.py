"""A server under test that runs: how the load client reaches it, and which processes it is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Readers:
    """How to subscribe: `heads` are the requests, of which subscriber i sends number i modulo their count.

    `first` is a text frame to send after the handshake, and `ready` what then tells that the subscription stands; both
    '' where the handshake is all. `framed` is False for a plain stream of bytes after the head, such as SSE.
    """

    port: int
    heads: tuple[bytes, ...]
    first: bytes = b""
    ready: str = ""
    framed: bool = True


@dataclass(frozen=True, slots=True)
class Requests:
    """How to publish, or what to ask for; `first` is sent once per connection. Not `http`: lines answered by "+OK"."""

    port: int
    requests: tuple[bytes, ...]
    first: bytes = b""
    http: bool = True


@dataclass(frozen=True, slots=True)
class Target:
    """A running server. `servers` are the processes whose time and memory count, `engines` are counted apart."""

    readers: Readers | None = None
    requests: Requests | None = None
    servers: tuple[int, ...] = ()
    engines: tuple[int, ...] = ()
