"""A stream is the same events wherever its bytes are cut, and however its lines end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidemark_client.sse import MAX_EVENT_BYTES, StreamParser, Told, TooLong

TEXT = st.text(st.characters(exclude_characters="\r\n\x00", exclude_categories=["Cs"]))


def read(parser: StreamParser, chunks: list[bytes]) -> list[Told]:
    return [told for chunk in chunks for told in parser.feed(chunk)]


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from(["", "close"]), st.uuids().map(str), st.lists(TEXT, min_size=1, max_size=3))),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.data(),
)
def test_it_may_be_cut_anywhere(events: list[tuple[str, str, list[str]]], end: str, data: st.DataObject) -> None:
    lines = []
    for kind, event_id, texts in events:
        lines += [
            ": ping",
            "",
            f"id: {event_id}",
            *([f"event: {kind}"] if kind else []),
            *(f"data: {t}" for t in texts),
        ]
        lines.append("")
    # The last CR of a stream is the end of a line only when it is known what follows.
    stream = "".join(line + end for line in [*lines, ": end"]).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[i:j] for i, j in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(StreamParser(), chunks) == [Told(kind, event_id, "\n".join(texts)) for kind, event_id, texts in events]


def test_a_bare_id_is_told_and_a_bare_event_or_comment_is_not() -> None:
    assert read(StreamParser(), [b"id: 7\n\nevent: x\n\n: hello\n\nretry: 20\n\ndata\n\n"]) == [
        Told("", "7", ""),
        Told("", "", ""),
    ]


def test_an_event_without_end_is_refused() -> None:
    parser = StreamParser()
    with pytest.raises(TooLong):
        for _ in range(MAX_EVENT_BYTES // 65_536 + 1):
            parser.feed(b"x" * 65_536)
    lines = StreamParser()
    with pytest.raises(TooLong):
        for _ in range(MAX_EVENT_BYTES // 65_536 + 1):
            lines.feed(b"data: " + b"x" * 65_536 + b"\n")
