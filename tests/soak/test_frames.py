"""The stream of an engine in whole answers, in whatever pieces it comes, and without the messages that are dropped."""

import random

from hypothesis import given
from hypothesis import strategies as st

from soak.frames import MessageFilter, frame_end, is_message

Answer = bytes


def bulk(content: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(content), content)


def listed(kind: bytes, *parts: bytes) -> bytes:
    return b"%b%d\r\n%b" % (kind, len(parts), b"".join(parts))


def message(payload: bytes, kind: bytes = b"*") -> bytes:
    return listed(kind, bulk(b"smessage"), bulk(b"topic"), bulk(payload))


words = st.binary(max_size=30).map(bulk)
plain = st.sampled_from(
    [b"+PONG\r\n", b":12\r\n", b"-ERR no\r\n", b"$-1\r\n", b"_\r\n", b"#t\r\n", b",1.5\r\n", b"*0\r\n"]
)
nested = st.recursive(
    words | plain,
    lambda inner: st.tuples(st.sampled_from([b"*", b"~", b">"]), st.lists(inner, max_size=4)).map(
        lambda told: listed(told[0], *told[1])
    ),
    max_leaves=8,
)
pairs = st.lists(words, max_size=3).map(
    lambda keys: b"%%%d\r\n" % len(keys) + b"".join(key + b":1\r\n" for key in keys)
)
messages = st.builds(message, st.binary(max_size=60), st.sampled_from([b"*", b">"]))
answers = st.lists(nested | pairs | messages, max_size=12)


def in_pieces(data: bytes, chance: random.Random) -> list[bytes]:
    cuts = sorted(chance.sample(range(len(data) + 1), min(len(data), chance.randint(0, 8))))
    return [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@given(answers, st.integers(0, 1 << 32))
def test_a_stream_passes_unchanged_whatever_its_pieces(told: list[Answer], seed: int) -> None:
    stream = MessageFilter(lambda: False)
    data = b"".join(told)
    assert b"".join(stream.take(piece) for piece in in_pieces(data, random.Random(seed))) == data


@given(answers, st.integers(0, 1 << 32))
def test_messages_are_dropped_whole_and_nothing_else_is(told: list[Answer], seed: int) -> None:
    stream = MessageFilter(lambda: True)
    passed = b"".join(stream.take(piece) for piece in in_pieces(b"".join(told), random.Random(seed)))
    assert passed == b"".join(answer for answer in told if not is_message(answer))


@given(st.one_of(nested, pairs, messages))
def test_an_answer_ends_where_it_ends_and_not_before(answer: Answer) -> None:
    assert frame_end(answer + b"+MORE\r\n") == len(answer)
    assert all(frame_end(answer[:length]) is None for length in range(len(answer)))


def test_each_message_is_asked_for_once() -> None:
    asked = iter((False, False))
    stream = MessageFilter(lambda: next(asked))
    assert stream.take(message(b"one") + message(b"two", b">")[:9]) == message(b"one")
    assert stream.take(message(b"two", b">")[9:]) == message(b"two", b">")
    assert list(asked) == []
