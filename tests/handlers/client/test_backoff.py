"""Pauses grow to a bound, and no two who wait are in step."""

from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st

from handlers.client.backoff import pauses


def test_without_chance_they_double_up_to_the_longest() -> None:
    assert list(islice(pauses(lambda: 0.0, first_s=1, longest_s=5), 5)) == [1, 2, 4, 5, 5]


@given(st.lists(st.floats(0, 1), min_size=12, max_size=12))
def test_each_is_at_least_half_and_at_most_the_whole(chances: list[float]) -> None:
    spread = list(islice(pauses(iter(chances).__next__), 12))
    whole = list(islice(pauses(lambda: 0.0), 12))
    assert all(most / 2 <= pause <= most for pause, most in zip(spread, whole, strict=True))
    assert all(one <= other for one, other in pairwise(whole))
