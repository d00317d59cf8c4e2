"""The sockets that a server listens on, bound before anything else is started: a port in use costs nobody a start."""

import socket

ANY_IPV4, ANY_IPV6 = "0.0.0.0", "::"  # noqa: S104 - what a person may have configured


class CannotListen(Exception):
    """The address cannot be had. The text names it and says why."""


def bind(host: str, port: int, *, is_shared: bool = False) -> list[socket.socket]:
    """Bound sockets, not listening yet, on every address of `host`; port 0 takes a free one, the same for all.

    `::` is all addresses of the machine, also those of IPv4. A shared port can be bound again by this user, and the
    kernel spreads new connections over all who listen. Raises `CannotListen`.
    """
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in _addresses(host, port):
            chosen = sockets[0].getsockname()[1] if sockets else port
            sockets.append(_bound(family, (address[0], chosen, *address[2:]), is_shared=is_shared))
    except (OSError, UnicodeError) as error:
        # UnicodeError: a host that can be no name, as `a..b`.
        for each in sockets:
            each.close()
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise CannotListen(
            f"Cannot listen on {shown(host, port)}: {reason}. Another port: --port, 0 for any"
        ) from error
    return sockets


def bind_shares(host: str, port: int, shares: int) -> list[list[socket.socket]]:
    """For each of so many processes sockets of its own on one port. Raises `CannotListen`, also where another has it.

    Each process listens on its own, so that none takes all new connections; whoever holds the sockets open keeps what
    waits in them while a process is started anew.
    """
    if shares == 1:
        return [bind(host, port)]
    # Unshared first: sharing would also let in another server of this user on the same port.
    for probe in bind(host, port):
        port = probe.getsockname()[1]
        probe.close()
    return [bind(host, port, is_shared=True) for _ in range(shares)]


def shown(host: str, port: int) -> str:
    """Host and port as in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reachable(host: str) -> str:
    """The host by which this machine reaches a server that listens on `host`."""
    return {ANY_IPV4: "127.0.0.1", ANY_IPV6: "::1"}.get(host, host)


def _addresses(host: str, port: int) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys(found))  # type: ignore[arg-type]


def _bound(family: int, address: tuple[str | int, ...], *, is_shared: bool) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address[0] != ANY_IPV6)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock
