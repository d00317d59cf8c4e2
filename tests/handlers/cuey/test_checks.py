"""What may be called, with which headers, and when (contract sections 2, 7 and 9)."""

import pytest

from handlers.cuey.checks import MAX_PAYLOAD_BYTES, check_headers, check_payload, check_url, parse_moment


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/webhook",
        "http://example.com",
        "http://example.com:8080/a?b=c%20d&e=%2F#f",
        "http://[2001:db8::1]/x",
        "https://example.com/" + "x" * 2_000,
        "http://2130706433/",
        "http://localhost/",
    ],
)
def test_these_are_urls_and_stay_as_they_are(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/path",
        "example.com/x",
        "ftp://example.com",
        "http://",
        "http:///x",
        "https://user:pass@example.com/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com/a b",
        "http://example.com/\r\nX: y",
        "http://example.com/ü",
        "http://exämple.com/",
        "javascript:alert(1)",
        "https://example.com/" + "x" * 2_048,
        "http://example.com\\@evil.example",
    ],
)
def test_these_are_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"must be|port"):
        check_url(url)


def test_headers_may_have_accents_and_emoji() -> None:
    headers = {"X-Name": "Zoë 🎉", "Authorization": "Bearer token", "Content-Type": "text/plain"}
    assert check_headers(headers) == headers
    assert check_headers({}) == {} and check_headers(None) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"": "x"},
        {" ": "x"},
        {"X Y": "x"},
        {"X:": "x"},
        {"X\r\n": "x"},
        {"X": "a\r\nY: b"},
        {"X": "a\nb"},
        {"X": "a\0"},
        {"Host": "a"},
        {"content-length": "3"},
        {"Transfer-Encoding": "chunked"},
        {"connection": "close"},
        {"Upgrade": "h2c"},
        {"TE": "trailers"},
        {"Trailer": "x"},
        {"Proxy-Authorization": "x"},
        {"X-A": "1", "x-a": "2"},
        {f"X-{n}": "" for n in range(51)},
        {"X": "y" * 8_192},
        {"Ü": "x"},
    ],
)
def test_headers_that_cannot_be_sent_or_are_not_theirs_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"has|may"):
        check_headers(headers)


def test_a_payload_has_a_bound() -> None:
    assert check_payload("x" * (MAX_PAYLOAD_BYTES - 2)) is not None
    with pytest.raises(ValueError, match="bytes"):
        check_payload("x" * (MAX_PAYLOAD_BYTES - 1))


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:01Z", 1_000),
        ("1970-01-01t01:00:00+01:00", 0),
        ("1970-01-01T00:00:00.5Z", 500),
        ("1970-01-01T00:00:00.0001Z", 1),
        ("1970-01-01T00:00:00.999999999z", 1_000),
        ("2036-12-31T23:59:59.123-08:00", 2_114_409_599_123),
    ],
)
def test_a_moment_is_rounded_up_to_a_millisecond(text: str, at_ms: int) -> None:
    assert parse_moment(text) == at_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2030-01-01",
        "2030-01-01T00:00:00",
        "Dec 31, 2030",
        "2030-02-30T00:00:00Z",
        "2030-01-01T25:00:00Z",
        "1893456000000",
        "2030-01-01T00:00:00+0100",
        "2030-01-01 00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-01:00",
        "2030-01-01T00:00:00." + "9" * 21 + "Z",
        "２０３０-01-01T00:00:00Z",
    ],
)
def test_what_is_no_moment_or_another_for_each_reader_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|is no"):
        parse_moment(text)
