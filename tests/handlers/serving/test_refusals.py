"""What is counted, and the bytes of a refusal."""

from handlers.serving.refusals import Kind, Refusals, render_refusal


def test_every_kind_is_counted_from_zero() -> None:
    refusals = Refusals()
    assert refusals.counts() == {kind.value: 0 for kind in Kind}
    refusals.count(Kind.HEAD_SLOW)
    refusals.count_answer(413)
    refusals.count_close(4408)
    refusals.count_close(4408)
    found = {name: count for name, count in refusals.counts().items() if count}
    assert found == {"head_slow": 1, "answer_413": 1, "close_4408": 2}


def test_a_refusal_is_a_whole_answer_that_ends_the_connection() -> None:
    assert render_refusal(429, "Too many", [(b"date", b"now")], retry_after_s=3) == (
        b"HTTP/1.1 429 Too Many Requests\r\n"
        b"date: now\r\n"
        b"Content-Type: application/json\r\n"
        b"Content-Length: 20\r\n"
        b"Cache-Control: no-store\r\n"
        b"Access-Control-Allow-Origin: *\r\n"
        b"Connection: close\r\n"
        b"Retry-After: 3\r\n"
        b"\r\n"
        b'{"error":"Too many"}'
    )
