"""TLS over memory: whatever pieces its bytes come in, what was said arrives, and what is no TLS is refused."""

import ssl
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.serving.tls import TlsFiles, load_context
from handlers.serving.tls_session import TlsSession
from tests.certificates import Authority


@cache
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Those of a server and of a client that trusts it."""
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        certificate, key, _ = authority.sign()
        return load_context(TlsFiles(certificate, key)), authority.client()


class Client:
    """The other side, over memory as well."""

    def __init__(self, version: ssl.TLSVersion | None = None) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = contexts()[1]
        context.maximum_version = version or ssl.TLSVersion.MAXIMUM_SUPPORTED
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.is_shaken = False

    def shake(self) -> None:
        try:
            self.tls.do_handshake()
            self.is_shaken = True
        except ssl.SSLWantReadError:
            pass

    def read(self) -> bytes:
        try:
            return self.tls.read(1 << 20)
        except ssl.SSLWantReadError:
            return b""


def shaken(server: TlsSession, client: Client) -> None:
    while not (client.is_shaken and server.is_shaken):
        client.shake()
        assert server.receive(client.outgoing.read()) == b""
        client.incoming.write(server.outgoing())


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.binary(min_size=1, max_size=40_000), max_size=4),
    st.lists(st.integers(1, 5_000), min_size=1, max_size=20),
    st.sampled_from([ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]),
)
def test_what_is_said_arrives_in_whatever_pieces_it_comes(
    texts: list[bytes], sizes: list[int], version: ssl.TLSVersion
) -> None:
    server, client = TlsSession(contexts()[0]), Client(version)
    shaken(server, client)
    for text in texts:
        client.tls.write(text) if len(text) <= 16_384 else [
            client.tls.write(text[i : i + 16_384]) for i in range(0, len(text), 16_384)
        ]
    sealed, said, i = client.outgoing.read(), b"", 0
    while sealed:
        size = sizes[i % len(sizes)]
        said += server.receive(sealed[:size])
        sealed, i = sealed[size:], i + 1
    assert said == b"".join(texts)
    for text in texts:
        server.send(text)
    client.incoming.write(server.outgoing())
    got = b""
    while part := client.read():
        got += part
    assert got == b"".join(texts)


def test_the_end_that_the_peer_says_is_known_with_what_came_before_it() -> None:
    server, client = TlsSession(contexts()[0]), Client()
    shaken(server, client)
    client.tls.write(b"last")
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()
    assert not server.is_ended
    assert server.receive(client.outgoing.read()) == b"last"
    assert server.is_ended


def test_its_own_end_is_said_once_and_also_while_the_peer_is_speaking() -> None:
    server, client = TlsSession(contexts()[0]), Client()
    shaken(server, client)
    server.send(b"bye")
    server.end()
    server.end()
    client.incoming.write(server.outgoing())
    assert client.read() == b"bye"
    assert client.tls.read(10) == b""


def test_before_the_handshake_there_is_no_end_to_say() -> None:
    server = TlsSession(contexts()[0])
    server.end()
    assert server.outgoing() == b""


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello", bytes(100)])
def test_what_is_no_tls_is_refused(said: bytes) -> None:
    server = TlsSession(contexts()[0])
    with pytest.raises(ssl.SSLError):
        server.receive(said)
    assert not server.is_shaken
