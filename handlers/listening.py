"""The sockets that a server listens on, bound before anything else is started: a port in use costs nobody a start."""

import socket

ANY_IPV4, ANY_IPV6 = "0.0.0.0", "::"  # noqa: S104 - what a person may have configured


class CannotListen(Exception):
    """The address cannot be had. The text names it and says why."""


def bind(host: str, port: int) -> list[socket.socket]:
    """Bound sockets, not listening yet, on every address of `host`; port 0 takes a free one, the same for all.

    `::` is all addresses of the machine, also those of IPv4. Raises `CannotListen`.
    """
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in _addresses(host, port):
            chosen = sockets[0].getsockname()[1] if sockets else port
            sockets.append(_bound(family, (address[0], chosen, *address[2:])))
    except OSError as error:
        for each in sockets:
            each.close()
        reason = (error.strerror or str(error)).lower()
        raise CannotListen(
            f"Cannot listen on {shown(host, port)}: {reason}. Another port: --port, 0 for any"
        ) from error
    return sockets


def shown(host: str, port: int) -> str:
    """Host and port as in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reachable(host: str) -> str:
    """The host by which this machine reaches a server that listens on `host`."""
    return {ANY_IPV4: "127.0.0.1", ANY_IPV6: "::1"}.get(host, host)


def _addresses(host: str, port: int) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys(found))  # type: ignore[arg-type]


def _bound(family: int, address: tuple[str | int, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address[0] != ANY_IPV6)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock
