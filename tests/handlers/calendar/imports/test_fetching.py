"""Asking for a feed, and what answers mean."""

import hashlib
from typing import Any

import pytest

from broker.webclient import Answered
from handlers.calendar.imports.fetching import Failed, Feed, Unchanged, call_of, read_answer
from handlers.calendar.imports.subscription import Seen

DIGEST = hashlib.sha256(b"feed").hexdigest()
SEEN = Seen('"v1"', "Thu, 01 Jan 2026 00:00:00 GMT", DIGEST, 0, "UTC")
BLIND = Seen(None, None, DIGEST, 0, "UTC")


def answer(status: int | None = 200, body: bytes = b"other", *, whole: bool = True, **headers: str) -> Answered:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answered(status, None if status else "refused", named, body, 1, whole)


def test_what_is_known_makes_the_question_conditional() -> None:
    call = call_of("https://x.example/f", SEEN, timeout_s=3, most_bytes=10)
    assert call.headers["If-None-Match"] == '"v1"' and call.headers["If-Modified-Since"] == SEEN.modified
    assert (call.method, call.timeout_s, call.kept_bytes) == ("GET", 3, 11)
    for seen in (None, BLIND):
        assert call_of("https://x.example/f", seen, timeout_s=3, most_bytes=10).headers.keys() == {"Accept"}


@pytest.mark.parametrize(
    ("answered", "seen", "expected"),
    [
        (answer(304), SEEN, Unchanged(SEEN)),
        (answer(body=b"feed"), SEEN, Unchanged(SEEN)),
        (answer(body=b"feed"), BLIND, Unchanged(BLIND)),
        (answer(304), BLIND, Failed("it was answered 304")),
        (answer(304), None, Failed("it was answered 304")),
        (answer(None), None, Failed("refused")),
        (answer(404), SEEN, Failed("it was answered 404")),
        (answer(206), SEEN, Failed("it was answered 206")),
        (answer(301), SEEN, Failed("it was answered 301: redirects are not followed, subscribe to where it leads")),
        (answer(body=b"x" * 11), None, Failed("it is over 10 bytes")),
        (answer(whole=False), None, Failed("its answer did not end in time")),
        (answer(Content_Encoding="gzip"), None, Failed("it was answered compressed, which was not asked for")),
    ],
)
def test_what_an_answer_means(answered: Answered, seen: Seen | None, expected: Any) -> None:
    assert read_answer(answered, seen, 10) == expected


def test_a_feed_is_known_by_what_can_be_sent_back() -> None:
    found = read_answer(answer(body=b"feed", ETag='W/"2"', Last_Modified="x" * 600), None, 10)
    assert found == Feed(b"feed", 'W/"2"', None, DIGEST)
    assert read_answer(answer(body=b"feed", ETag="\x7f"), None, 10) == Feed(b"feed", None, None, DIGEST)
