"""Where a webhook may point, judged by its text (contract sections 10 and 14 row 14, reliability.md section E).

A name is resolved only when a delivery connects, and there its address is judged again by `addresses.may_reach`; here
go what no public endpoint can be spelled as. Literal addresses are understood in every spelling that some resolver
takes: decimal, hexadecimal, octal, with fewer than four parts, and within IPv6 (WHATWG URL standard, "IPv4 parser").
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import NoReturn
from urllib.parse import quote

from broker.addresses import Network, may_reach
from broker.errors import Invalid

MAX_URL = 2_048
"""How many characters a webhook URL may have."""

_URL = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::([0-9]{1,5}))?(?=[/?#]|$)([^#]*)(?:#.*)?", re.I | re.A)
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x20\x7f-\x9f\\\ud800-\udfff]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_PORTS = {"http": 80, "https": 443}
_PRIVATE_SUFFIXES = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".localdomain")
_AS_IS = "/?%:@!$&'()*+,;=~-._[]{}|^`\"<>"
"""What a path and a query keep as it was sent; all else is percent-encoded."""

_LOOPBACKS = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


def check_target(url: str, allow: Sequence[Network]) -> str:
    """The normal form of `url`, without fragment and default port; raises Invalid unless it may be a public endpoint.

    Networks in `allow` are reachable too. When there are any, names of private zones pass, as only connecting tells
    where they lead; `localhost` passes when a loopback address is in one of them.
    """
    match = _URL.fullmatch(url) if len(url) <= MAX_URL and not _BLANK_OR_CONTROL.search(url) else None
    if match is None:
        _refuse()
    scheme, host, port_text, rest = match[1].lower(), match[2].lower(), match[3], match[4]
    port = int(port_text) if port_text else _PORTS[scheme]
    if port not in (80, 443) and not 1_024 <= port <= 65_535:
        _refuse()
    shown = _check_host(host, allow) + ("" if port == _PORTS[scheme] else f":{port}")
    path = rest if rest.startswith("/") else f"/{rest}"
    return f"{scheme}://{shown}{quote(path, safe=_AS_IS)}"


def _check_host(host: str, allow: Sequence[Network]) -> str:
    if host.startswith("["):
        return _check_ipv6(host[1:-1], allow)
    name = host.removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _check_ipv4(labels, allow)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        _refuse()
    if not _may_be_public(name) and not _is_opened(name, allow):
        _refuse()
    return name


def _check_ipv6(text: str, allow: Sequence[Network]) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:
        _refuse()
    if not may_reach(address, allow):
        _refuse()
    return f"[{address}]"


def _check_ipv4(labels: list[str], allow: Sequence[Network]) -> str:
    address = _parse_ipv4(labels)
    if address is None or not may_reach(address, allow):
        _refuse()
    return str(address)


def _parse_ipv4(parts: list[str]) -> IPv4Address | None:
    """The address that one to four numbers spell, the last filling what the others leave; None when they spell none."""
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    numbers = [_parse_number(part) for part in parts]
    *leading, last = numbers
    room = 256 ** (5 - len(parts))
    if any(number is None or number > 255 for number in leading) or last is None or last >= room:
        return None
    return IPv4Address(sum((number or 0) << (24 - 8 * index) for index, number in enumerate(leading)) + last)


def _parse_number(text: str) -> int | None:
    base, digits = (16, text[2:]) if text.startswith("0x") else (8, text) if text.startswith("0") else (10, text)
    try:
        return int(digits or "0", base) if len(digits) <= 64 else None
    except ValueError:
        return None


def _may_be_public(name: str) -> bool:
    """Whether the name could be one of the public DNS; those of a single label never are."""
    return "." in name and not name.endswith(_PRIVATE_SUFFIXES)


def _is_opened(name: str, allow: Sequence[Network]) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return any(address in network for address in _LOOPBACKS for network in allow)
    return bool(allow) and not name.startswith("metadata.")


def _refuse() -> NoReturn:
    raise Invalid("Webhook URL must be a public HTTP(S) endpoint")
