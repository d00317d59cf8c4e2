"""Header lines of an answer in one message."""

import pytest

from handlers.serving.whole_answer import parse_lines, render_lines, takes_whole, whole_extension


def test_lines_say_the_headers_with_names_in_lower_case() -> None:
    headers = [(b"ETag", b'"x"'), (b"x-b", b"a: b")]
    lines = render_lines(headers)
    assert lines == b'etag: "x"\r\nx-b: a: b\r\n'
    assert parse_lines(lines) == [(b"etag", b'"x"'), (b"x-b", b"a: b")]
    assert (render_lines([]), parse_lines(b"")) == (b"", [])


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b"])
def test_a_value_with_an_end_of_a_line_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="Invalid HTTP header"):
        render_lines([(b"x", value)])


def test_only_a_server_with_the_extension_takes_it() -> None:
    assert takes_whole({"extensions": whole_extension()})
    assert not takes_whole({"extensions": {}}) and not takes_whole({})
