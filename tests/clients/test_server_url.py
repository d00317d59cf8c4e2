"""URLs of servers as people type them, and what follows from them."""

import pytest

from tidemark_client.errors import Invalid
from tidemark_client.server_url import ServerUrl


@pytest.mark.parametrize(
    ("text", "origin", "path"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "/api/v1/channels"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000", "/api/v1/channels"),
        ("https://events.example.com", "https://events.example.com:443", "/api/v1/channels"),
        ("HTTP://Events.Example.com/a/b/", "http://events.example.com:80", "/a/b/api/v1/channels"),
        ("http://[::1]:9", "http://[::1]:9", "/api/v1/channels"),
    ],
)
def test_a_url_names_an_origin_and_perhaps_a_prefix(text: str, origin: str, path: str) -> None:
    url = ServerUrl.parse(text)
    assert ServerUrl.parse(str(url)) == url
    assert (url.origin, url.path("channels")) == (origin, path)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "127.0.0.1:8000", "ftp://x", "ws://x", "http://", "http://x:99999", "http://x:y", "http://u:p@x"),
        *("http://x?a=1", "http://x#a", "http://x y", "http://x\ny", "http://é", "http://[::1"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        ServerUrl.parse(text)


def test_what_users_type_cannot_leave_its_place_in_a_path() -> None:
    path = ServerUrl.parse("http://x").path("channels", "../a?b#c/d e", "ws", types="a,b&c=d", cursor=None, limit=3)
    assert path == "/api/v1/channels/..%2Fa%3Fb%23c%2Fd%20e/ws?types=a%2Cb%26c%3Dd&limit=3"


@pytest.mark.parametrize(("text", "socket"), [("http://x/p", "ws://x:80/y"), ("https://x", "wss://x:443/y")])
def test_a_socket_is_as_secure_as_its_server(text: str, socket: str) -> None:
    assert ServerUrl.parse(text).socket("/y") == socket
