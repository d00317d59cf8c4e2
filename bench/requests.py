"""Requests as the bytes that the load client sends. Pure."""

from collections.abc import Mapping

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def get(path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A GET."""
    return _head("GET", path, headers or {})


def post(path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """A POST of JSON."""
    lengths = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return _head("POST", path, {**lengths, **(headers or {})}) + body


def upgrade(path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """The handshake of a WebSocket; no compression is offered."""
    return _head(
        "GET",
        path,
        {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": KEY,
            **(headers or {}),
        },
    )


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def _head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()
