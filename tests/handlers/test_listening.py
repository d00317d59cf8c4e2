"""The sockets of a server: on every address of its host, or refused by name."""

import re
import socket

import pytest

from handlers.listening import CannotListen, bind, reachable, shown


def close(sockets: list[socket.socket]) -> None:
    for each in sockets:
        each.close()


def has_ipv6() -> bool:
    try:
        close(bind("::1", 0))
    except CannotListen:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


def test_port_0_takes_a_free_one() -> None:
    one, other = bind("127.0.0.1", 0), bind("127.0.0.1", 0)
    assert one[0].getsockname()[1] != other[0].getsockname()[1] != 0
    close(one + other)


def test_every_address_of_a_host_gets_the_same_port() -> None:
    sockets = bind("localhost", 0)
    assert len({sock.getsockname()[1] for sock in sockets}) == 1
    close(sockets)


def test_a_port_in_use_is_refused_by_name_and_nothing_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CannotListen, match=rf"^Cannot listen on 127\.0\.0\.1:{port}: address already in use"):
            bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["no.such.invalid", "no..name", "x" * 64 + ".example"])
def test_a_host_that_nobody_knows_is_refused_by_name(host: str) -> None:
    with pytest.raises(CannotListen, match=rf"^Cannot listen on {re.escape(host)}:0: "):
        bind(host, 0)


@needs_ipv6
def test_all_addresses_of_ipv6_are_those_of_ipv4_too() -> None:
    sockets = bind("::", 0)
    sockets[0].listen()
    port = sockets[0].getsockname()[1]
    for host in ("127.0.0.1", "::1"):
        socket.create_connection((host, port), timeout=5).close()
    close(sockets)


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "127.0.0.1:1"), ("0.0.0.0", "127.0.0.1:1"), ("::", "[::1]:1"), ("a.b", "a.b:1")],
)
def test_where_this_machine_reaches_a_server(host: str, url: str) -> None:
    assert shown(reachable(host), 1) == url
