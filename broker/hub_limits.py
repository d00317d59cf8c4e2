"""Bounds and intervals of watching channels, as plain values (reliability.md F)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HubLimits:
    """Bounds and intervals of watching; the defaults are those of config.toml.

    A channel counts as active for `active_s` after its last event or reader, and is let go `linger_s` after its last
    reader left.
    """

    window_events: int = 256
    window_bytes: int = 1_048_576
    page_events: int = 1_000
    page_bytes: int = 262_144
    max_lag_events: int = 100_000
    position_check_s: float = 1.0
    idle_position_check_s: float = 10.0
    vouch_s: float = 5.0
    active_s: float = 10.0
    linger_s: float = 30.0
