"""Seats of calls: no more than there are, in all and to one host."""

import pytest

from broker.errors import Unavailable
from handlers.cuey.seats import Seats


def test_a_host_has_its_own_bound_and_all_have_one_together() -> None:
    seats = Seats(3, 2)
    for host in ("a", "a", "b"):
        seats.take(host)
    for host in ("a", "c"):
        with pytest.raises(Unavailable):
            seats.take(host)
    seats.leave("b")
    with pytest.raises(Unavailable):
        seats.take("a")
    seats.take("c")


def test_a_seat_that_was_left_is_free() -> None:
    seats = Seats(1, 1)
    for _ in range(3):
        seats.take("a")
        seats.leave("a")
