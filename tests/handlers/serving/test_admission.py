"""Who may connect: every limit at its value and one beyond, and who is counted with whom."""

import pytest

from broker.config import Settings
from handlers.serving.admission import Admission, Denied, Slot, retry_after_s
from handlers.serving.limits import ServingLimits
from handlers.serving.refusals import Kind
from handlers.wiring import serving_limits_of


def admission(**limits: int) -> Admission:
    return Admission(ServingLimits(**limits), now_s=0)  # type: ignore[arg-type]


def entered(admission: Admission, peer: str | None, now_s: float = 0) -> Slot:
    slot = admission.enter(peer, now_s)
    assert isinstance(slot, Slot)
    return slot


def denied(admission: Admission, peer: str | None, now_s: float = 0) -> tuple[Kind, int]:
    verdict = admission.enter(peer, now_s)
    assert isinstance(verdict, Denied)
    return verdict.kind, verdict.status


def test_a_process_holds_so_many_and_a_place_given_back_is_taken_again() -> None:
    door = admission(connections=2)
    first, _ = entered(door, "192.0.2.1"), entered(door, "192.0.2.2")
    assert denied(door, "192.0.2.3") == (Kind.CONNECTIONS_FULL, 503)
    first.leave()
    entered(door, "192.0.2.3")


def test_an_address_holds_so_many_and_others_are_not_harmed() -> None:
    door = admission(connections_per_address=2)
    first, _ = entered(door, "192.0.2.1"), entered(door, "192.0.2.1")
    assert denied(door, "192.0.2.1") == (Kind.ADDRESS_FULL, 429)
    entered(door, "192.0.2.2")
    first.leave()
    entered(door, "192.0.2.1")


def test_so_many_new_ones_pass_at_once_and_then_by_rate() -> None:
    door = admission(connections_per_s=10, connection_burst=2)
    for _ in range(2):
        entered(door, None).leave()
    assert denied(door, None) == (Kind.CONNECTION_RATE, 503)
    assert denied(door, None, now_s=0.09) == (Kind.CONNECTION_RATE, 503)
    entered(door, None, now_s=0.11)


@pytest.mark.parametrize(
    ("one", "other", "are_together"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("127.0.0.1", "::1", False),
    ],
)
def test_a_host_is_an_ipv4_address_or_a_64_of_ipv6(one: str, other: str, are_together: bool) -> None:
    door = admission(connections_per_address=1)
    entered(door, one)
    assert isinstance(door.enter(other, 0), Denied) == are_together


@pytest.mark.parametrize("peer", ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7", None])
def test_a_trusted_proxy_and_a_unix_socket_are_exempt_from_the_limit_per_address_only(peer: str | None) -> None:
    settings = Settings.model_validate({"server": {"trusted_proxies": ("10.0.0.0/8", "2001:db8::/32")}})
    networks = serving_limits_of(settings).trusted_proxies
    door = Admission(ServingLimits(connections_per_address=1, connections=3, trusted_proxies=networks), 0)
    for _ in range(3):
        entered(door, peer)
    assert denied(door, peer) == (Kind.CONNECTIONS_FULL, 503)


def test_all_places_given_back_leave_nothing() -> None:
    door = admission(connections_per_address=50)
    slots = [entered(door, peer) for peer in ("192.0.2.1", "192.0.2.1", "2001:db8::1", None)]
    assert (door.open, door.addresses) == (4, 2)
    for slot in slots:
        slot.leave()
    assert (door.open, door.addresses) == (0, 0)


def test_so_many_that_are_denied_may_read_why_and_the_next_is_dropped() -> None:
    door = admission(connections=1)
    entered(door, None)
    verdicts = [door.enter(None, 0) for _ in range(101)]
    slots = [verdict.slot for verdict in verdicts if isinstance(verdict, Denied)]
    assert [slot is None for slot in slots] == [False] * 100 + [True]
    assert door.lingering == 100
    for slot in slots[:100]:
        assert slot is not None
        slot.leave()
    assert (door.lingering, door.open) == (0, 1)


def test_the_denied_come_back_spread_over_five_seconds() -> None:
    assert {retry_after_s(i / 100) for i in range(100)} == {1, 2, 3, 4, 5}
