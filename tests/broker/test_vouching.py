"""How long the engine may be silent, by partition."""

from broker.vouching import LOOK_S, Vouching


def test_a_partition_is_vouched_for_until_its_node_was_silent_too_long() -> None:
    vouching = Vouching(2, 5.0, 100.0)
    vouching.answered([1], 103.0)
    assert vouching.covers(0, 105.0) and not vouching.covers(0, 105.1)
    assert vouching.covers(1, 108.0) and vouching.covers_any(108.0) and not vouching.covers_any(108.1)


def test_a_look_names_the_silent_and_comes_again_when_the_next_may_be() -> None:
    vouching = Vouching(2, 5.0, 100.0)
    now_s = 100.0
    silent: list[int] = []
    while not silent:
        vouching.answered([1], now_s)
        silent, next_s = vouching.look(now_s)
        assert next_s <= LOOK_S
        now_s += next_s
    assert silent == [0] and 105.0 <= now_s - next_s <= 105.0 + LOOK_S


def test_the_time_in_which_this_process_stood_still_is_not_the_engines() -> None:
    vouching = Vouching(1, 5.0, 100.0)
    vouching.look(100.0)
    silent, _ = vouching.look(160.0)
    assert silent == []


def test_a_new_beginning_forgets_silence() -> None:
    vouching = Vouching(1, 5.0, 100.0)
    vouching.begin(200.0)
    assert vouching.covers(0, 204.0) and vouching.look(200.0)[0] == []
