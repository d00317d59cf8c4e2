"""The handshake's rules and bytes; that they hold on real sockets is in `test_handshakes.py`."""

import pytest
from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.uri import parse_uri

from handlers.serving.ws_handshake import BadHandshake, parse_handshake, render_accept, render_denial

GOOD = [
    (b"host", b"x"),
    (b"upgrade", b"websocket"),
    (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    (b"sec-websocket-version", b"13"),
]


def without(name: bytes) -> list[tuple[bytes, bytes]]:
    return [header for header in GOOD if header[0] != name]


def test_the_answer_to_the_key_of_the_rfc_is_that_of_the_rfc() -> None:
    handshake = parse_handshake("GET", [*GOOD, (b"sec-websocket-protocol", b"a, b"), (b"sec-websocket-protocol", b"c")])
    assert handshake == ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", ["a", "b", "c"])


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", GOOD, 405),
        ("GET", without(b"sec-websocket-key"), 400),
        ("GET", [*GOOD, (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ==")], 400),
        ("GET", [*without(b"sec-websocket-key"), (b"sec-websocket-key", b"c2hvcnQ=")], 400),
        ("GET", [*without(b"sec-websocket-key"), (b"sec-websocket-key", b"\xff\xfe")], 400),
        ("GET", without(b"sec-websocket-version"), 400),
        ("GET", [*without(b"sec-websocket-version"), (b"sec-websocket-version", b"8")], 400),
        ("GET", [*GOOD, (b"origin", b"http://a"), (b"origin", b"http://b")], 400),
        ("GET", [*GOOD, (b"content-length", b"0")], 400),
        ("GET", [*GOOD, (b"sec-websocket-protocol", b"a b")], 400),
    ],
)
def test_what_breaks_a_rule_is_refused(method: str, headers: list[tuple[bytes, bytes]], status: int) -> None:
    with pytest.raises(BadHandshake) as caught:
        parse_handshake(method, headers)
    assert caught.value.status == status and caught.value.message


def test_a_client_of_the_library_takes_the_answer() -> None:
    client = ClientProtocol(parse_uri("ws://x/"), subprotocols=None)
    request = client.connect()
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.raw_items()]
    client.send_request(request)
    client.receive_data(render_accept(parse_handshake("GET", headers), None, [(b"X-Request-Id", b"1")]))
    assert client.state is State.OPEN and client.handshake_exc is None


def test_an_answer_of_the_app_is_whole_and_the_last() -> None:
    raw = render_denial(
        429, [(b"retry-after", b"1"), (b"Content-Length", b"99"), (b"connection", b"keep-alive")], b"{}"
    )
    head, _, body = raw.partition(b"\r\n\r\n")
    assert body == b"{}"
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 429 Too Many Requests",
        b"retry-after: 1",
        b"Content-Length: 2",
        b"Connection: close",
    ]
    assert render_denial(599, [], b"").startswith(b"HTTP/1.1 599 \r\n")
