"""The order of faults comes from the seed, and every fault has its turn."""

import random
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from soak.schedule import QUIET_S, plan

NAMES = ("kill", "stop", "cut", "slow")


@given(st.integers(0, 1 << 32), st.integers(1, 5))
def test_each_round_has_every_fault_once_and_the_same_seed_gives_the_same_rounds(seed: int, rounds: int) -> None:
    planned = list(islice(plan(NAMES, random.Random(seed), 2), rounds * len(NAMES)))
    for begin in range(0, len(planned), len(NAMES)):
        assert {each.name for each in planned[begin : begin + len(NAMES)]} == set(NAMES)
    assert all(each.broker in (0, 1) and QUIET_S[0] <= each.quiet_s <= QUIET_S[1] for each in planned)
    assert planned == list(islice(plan(NAMES, random.Random(seed), 2), rounds * len(NAMES)))
