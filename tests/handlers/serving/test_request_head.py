"""The rules of a head that the parser does not know, each at its limit and one beyond."""

import pytest

from handlers.serving.limits import ServingLimits
from handlers.serving.refusals import Kind
from handlers.serving.request_head import Refused, check_head, render_without_upgrade

LIMITS = ServingLimits(head_bytes=400, head_lines=5, head_line_bytes=100)
HOST = (b"host", b"x")
Headers = list[tuple[bytes, bytes]]


def refusal(
    target: bytes = b"/", version: str = "1.1", headers: Headers | None = None, method: bytes = b"GET"
) -> tuple[Kind, int] | None:
    try:
        check_head(method, target, version, [HOST] if headers is None else headers, LIMITS)
    except Refused as refused:
        return refused.kind, refused.status
    return None


def test_the_request_line_has_its_bound() -> None:
    rest = len(b"GET  HTTP/1.1\r\n")
    assert refusal(b"/" * (100 - rest)) is None
    assert refusal(b"/" * (101 - rest)) == (Kind.TARGET_TOO_LONG, 414)


def test_a_header_line_has_its_bound() -> None:
    rest = len(b"a: \r\n")
    assert refusal(headers=[HOST, (b"a", b"v" * (100 - rest))]) is None
    assert refusal(headers=[HOST, (b"a", b"v" * (101 - rest))]) == (Kind.HEAD_TOO_LARGE, 431)


def test_the_number_of_lines_has_its_bound() -> None:
    assert refusal(headers=[HOST, *[(b"a", b"b")] * 4]) is None
    assert refusal(headers=[HOST, *[(b"a", b"b")] * 5]) == (Kind.HEAD_TOO_LARGE, 431)


def test_the_whole_head_has_its_bound() -> None:
    head = b"GET / HTTP/1.1\r\nhost: x\r\n" + b"".join(b"a: %b\r\n" % (b"v" * 86) for _ in range(4)) + b"\r\n"
    left = 400 - len(head)
    assert left > 0
    headers = [HOST, *[(b"a", b"v" * 86)] * 3]
    assert refusal(headers=[*headers, (b"a", b"v" * (86 + left))], target=b"/") is None
    assert refusal(headers=[*headers, (b"a", b"v" * (87 + left))]) == (Kind.HEAD_TOO_LARGE, 431)


@pytest.mark.parametrize(
    ("version", "headers", "is_good"),
    [
        ("1.1", [HOST], True),
        ("1.1", [(b"host", b"")], True),
        ("1.1", [], False),
        ("1.1", [HOST, HOST], False),
        ("1.0", [], True),
        ("1.0", [HOST, HOST], False),
        ("0.9", [HOST], False),
        ("2.0", [HOST], False),
        ("1.1", [HOST, (b"transfer-encoding", b"chunked")], True),
        ("1.1", [HOST, (b"transfer-encoding", b" Chunked ")], True),
        ("1.1", [HOST, (b"transfer-encoding", b"gzip, chunked")], False),
        ("1.1", [HOST, (b"transfer-encoding", b"identity")], False),
        ("1.1", [HOST, *[(b"transfer-encoding", b"chunked")] * 2], False),
        ("1.0", [HOST, (b"transfer-encoding", b"chunked")], False),
    ],
)
def test_host_version_and_coding_have_their_rules(version: str, headers: Headers, is_good: bool) -> None:
    assert refusal(version=version, headers=headers) == (None if is_good else (Kind.HEAD_MALFORMED, 400))


def test_connect_is_refused() -> None:
    assert refusal(b"example.com:443", method=b"CONNECT") == (Kind.HEAD_MALFORMED, 400)


def test_an_offer_to_upgrade_is_left_out_and_everything_else_stays() -> None:
    headers = [HOST, (b"connection", b"Upgrade"), (b"upgrade", b"h2c"), (b"http2-settings", b"x"), (b"a", b"b")]
    rendered = render_without_upgrade(b"POST", b"/x?y", "1.1", headers)
    assert rendered == b"POST /x?y HTTP/1.1\r\nhost: x\r\na: b\r\n\r\n"
