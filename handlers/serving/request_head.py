"""The bounds and rules of a request's head, and the refusals of requests (RFC 9112; reliability.md F). Pure.

The parser (llhttp) refuses what is not HTTP: two lengths, a length with a transfer coding, folded lines, bare CR or LF.
This is what it lets through.
"""

from collections.abc import Sequence

from handlers.serving.limits import ServingLimits
from handlers.serving.refusals import Kind

_LINE_EXTRA_BYTES = len(b": \r\n")
_REQUEST_LINE_EXTRA_BYTES = len(b"  HTTP/1.1\r\n")
_OFFER = (b"connection", b"upgrade", b"http2-settings")


class Refused(Exception):
    """The request breaks a rule; `status` and `message` are for the client, `kind` is counted."""

    def __init__(self, kind: Kind, status: int, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.message = message


def too_large(message: str = "Request head too large") -> Refused:
    """431."""
    return Refused(Kind.HEAD_TOO_LARGE, 431, message)


def target_too_long() -> Refused:
    """414."""
    return Refused(Kind.TARGET_TOO_LONG, 414, "Request target too long")


def malformed(message: str) -> Refused:
    """400."""
    return Refused(Kind.HEAD_MALFORMED, 400, message)


def malformed_body() -> Refused:
    """400."""
    return Refused(Kind.BODY_MALFORMED, 400, "Malformed request body")


def too_slow(*, is_body: bool) -> Refused:
    """408."""
    kind, part = (Kind.BODY_SLOW, "body") if is_body else (Kind.HEAD_SLOW, "head")
    return Refused(kind, 408, f"Request {part} not received in time")


def check_head(
    method: bytes,
    target: bytes,
    version: str,
    headers: Sequence[tuple[bytes, bytes]],
    limits: ServingLimits,
) -> None:
    """Raise `Refused` for the first rule that the head breaks. Header names are in lower case."""
    _check_sizes(method, target, headers, limits)
    if version not in ("1.1", "1.0"):
        raise malformed("Unsupported HTTP version")
    if method == b"CONNECT":
        raise malformed("Unsupported method")
    names = [name for name, _ in headers]
    _check_hosts(names.count(b"host"), version)
    if b"transfer-encoding" in names:
        _check_coding([value for name, value in headers if name == b"transfer-encoding"], version)


def find_too_long(target_bytes: int, head_bytes: int, limits: ServingLimits) -> Refused | None:
    """What is wrong already with a head that is not complete."""
    if target_bytes > limits.head_line_bytes:
        return target_too_long()
    return too_large() if head_bytes > limits.head_bytes else None


def _check_sizes(
    method: bytes,
    target: bytes,
    headers: Sequence[tuple[bytes, bytes]],
    limits: ServingLimits,
) -> None:
    request_line_bytes = len(method) + len(target) + _REQUEST_LINE_EXTRA_BYTES
    if request_line_bytes > limits.head_line_bytes:
        raise target_too_long()
    if len(headers) > limits.head_lines:
        raise too_large("Too many header lines")
    sizes = [len(name) + len(value) + _LINE_EXTRA_BYTES for name, value in headers]
    if sizes and max(sizes) > limits.head_line_bytes:
        raise too_large("Header line too long")
    if request_line_bytes + sum(sizes) + len(b"\r\n") > limits.head_bytes:
        raise too_large()


def _check_hosts(hosts: int, version: str) -> None:
    if hosts > 1:
        raise malformed("More than one Host header")
    if not hosts and version == "1.1":
        raise malformed("Host header missing")


def _check_coding(codings: list[bytes], version: str) -> None:
    # An app behind a server that passes "gzip, chunked" on would read compressed bytes as the body.
    if version != "1.1" or [value.strip().lower() for value in codings] != [b"chunked"]:
        raise malformed("Unsupported transfer coding")


def render_without_upgrade(method: bytes, target: bytes, version: str, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The head again, without the offer to change the protocol."""
    lines = [b"%b %b HTTP/%b" % (method, target, version.encode())]
    lines += [name + b": " + value for name, value in headers if name not in _OFFER]
    return b"\r\n".join([*lines, b"", b""])
