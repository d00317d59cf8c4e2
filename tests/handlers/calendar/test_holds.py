"""What a new hold meets, by itself (contract section 8)."""

from hypothesis import given
from hypothesis import strategies as st

from handlers.calendar.holds import Hold, meet, next_expiry, parse_holds, render_holds, split, without

HOLDS = st.builds(
    Hold,
    id=st.uuids().map(str),
    start_ms=st.integers(0, 9),
    end_ms=st.integers(10, 19),
    expires_ms=st.integers(0, 20),
    priority=st.integers(0, 3),
)


def hold(name: str, start: int, end: int, priority: int = 0, expires: int = 100) -> Hold:
    return Hold(name, start, end, expires, priority)


def test_where_one_ends_another_one_may_begin() -> None:
    assert not hold("a", 0, 5).overlaps(hold("b", 5, 9))
    assert hold("a", 0, 5).overlaps(hold("b", 4, 9)) and hold("a", 0, 9).overlaps(hold("b", 3, 4))


def test_an_equal_one_is_not_beaten_and_a_stronger_newcomer_wins() -> None:
    old = hold("a", 0, 5, 3)
    assert meet([old], hold("b", 0, 5, 3), 0).blocking == old
    met = meet([old], hold("b", 0, 5, 4), 0)
    assert (met.blocking, met.bumped, [each.id for each in met.kept]) == (None, (old,), ["b"])


def test_at_its_expiry_a_hold_blocks_nothing() -> None:
    old = hold("a", 0, 5, 9, expires=10)
    assert meet([old], hold("b", 0, 5), 9).blocking == old
    met = meet([old], hold("b", 0, 5), 10)
    assert met.blocking is None and met.expired == (old,) and met.bumped == ()


def test_one_that_is_stronger_saves_them_all() -> None:
    weak, strong = hold("a", 0, 5, 1), hold("b", 5, 9, 8)
    met = meet([weak, strong], hold("c", 0, 9, 5), 0)
    assert met.blocking == strong and met.bumped == () and met.kept == (weak, strong)


@given(st.lists(HOLDS, max_size=6), HOLDS, st.integers(0, 20))
def test_no_two_that_are_kept_overlap_where_none_did_before(holds: list[Hold], new: Hold, now_ms: int) -> None:
    alone: list[Hold] = []
    for each in holds:
        if not any(each.overlaps(other) for other in alone):
            alone.append(each)
    met = meet(alone, new, now_ms)
    kept = list(met.kept)
    assert not [a for i, a in enumerate(kept) for b in kept[i + 1 :] if a.overlaps(b)]
    assert {*met.expired, *met.bumped, *kept} == {*alone, *(() if met.blocking else (new,))}


def test_they_are_kept_as_they_are() -> None:
    holds = (hold("a", 0, 5, 1, 7), hold("b", 5, 9, 8, 6))
    assert parse_holds(render_holds(holds)) == holds
    assert next_expiry(holds) == 6 and next_expiry(()) is None
    assert split(holds, 6) == ((holds[1],), (holds[0],)) and without(holds, "a") == (holds[1],)
