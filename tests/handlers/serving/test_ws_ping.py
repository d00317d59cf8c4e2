"""How long a peer may take to answer a ping."""

from handlers.serving.limits import ServingLimits
from handlers.serving.ws_ping import PING_FRAME_BYTES, Ping

LIMITS = ServingLimits(pong_wait_s=10, write_stall_s=20)


def test_a_ping_is_a_small_whole_frame() -> None:
    ping = Ping(12.5, 0, had_events=False)
    assert len(ping.frame()) == PING_FRAME_BYTES
    assert ping.frame() == b"\x89\x04" + ping.payload


def test_a_peer_that_was_sent_nothing_else_has_no_excuse() -> None:
    assert Ping(100, 5_000, had_events=False).patience_s(110, 5_006, 0, LIMITS) <= 0


def test_a_peer_that_takes_what_it_is_sent_has_time() -> None:
    ping = Ping(100, 5_000, had_events=True)
    assert ping.patience_s(110, 6_000, 0, LIMITS) == 10
    assert ping.patience_s(120, 6_000, 0, LIMITS) == 10
    assert ping.patience_s(125, 6_000, 0, LIMITS) == 5
    assert ping.patience_s(130, 6_000, 0, LIMITS) <= 0


def test_a_peer_with_bytes_in_our_buffer_has_the_time_of_a_stall() -> None:
    ping = Ping(100, 5_000, had_events=False)
    assert ping.patience_s(110, 5_000, 300, LIMITS) == 10
    assert ping.patience_s(120, 5_000, 300, LIMITS) <= 0
