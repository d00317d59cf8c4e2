"""The limits at the edge as plain values (reliability.md section F); the names are those of `config.toml`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from broker.addresses import Network


class FrameLimits(NamedTuple):
    """Bounds of what a client sends on a socket: the bytes of a message, frames a minute on average and at once."""

    message_bytes: int
    per_min: int
    burst: int


@dataclass(frozen=True, slots=True)
class ServingLimits:
    """What a connection, an address and a process may use. The defaults are those of the configuration.

    Times are seconds, sizes bytes. `head_line_bytes` bounds the request line and each header line, each with its CR LF.
    A body is due `body_s` after its head plus a second for every `body_min_bytes_per_s` received (0: any pace will do).
    `linger_s` is how long a refused client may go on sending, so that it can read the refusal before the reset.
    `frames_at` has the sockets, by their path, whose clients may send more than the others'.
    """

    connections: int = 10_000
    connections_per_address: int = 200
    connections_per_s: int = 500
    connection_burst: int = 1_000
    trusted_proxies: tuple[Network, ...] = ()

    head_bytes: int = 16_384
    head_lines: int = 100
    head_line_bytes: int = 8_192
    head_s: float = 10.0
    keep_alive_s: float = 5.0
    body_s: float = 20.0
    body_min_bytes_per_s: int = 1_024
    linger_s: float = 1.0

    handshake_s: float = 10.0
    client_frame_bytes: int = 4_096
    client_frames_per_min: int = 100
    client_frame_burst: int = 50
    frames_at: Mapping[str, FrameLimits] = field(default_factory=dict)
    ping_interval_s: float = 25.0
    pong_wait_s: float = 10.0
    close_wait_s: float = 10.0

    send_buffer_bytes: int = 131_072
    write_buffer_bytes: int = 262_144
    write_stall_s: float = 20.0

    drain_s: float = 20.0
    shutdown_s: float = 30.0

    def frames_of(self, path: str) -> FrameLimits:
        """The bounds of a client's frames on the socket of this path."""
        others = FrameLimits(self.client_frame_bytes, self.client_frames_per_min, self.client_frame_burst)
        return self.frames_at.get(path, others)
