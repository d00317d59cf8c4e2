"""A server that says exactly what it is told to, one answer a request, and keeps what it was asked."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
GONE = b""
"""As an answer: the connection is closed without one."""


def answer(status: int, body: bytes = b"{}", *headers: str) -> bytes:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Scripted:
    """Listens at `url`; `asked` are the requests, `connections` how many there were."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = iter(answers)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked: list[bytes] = []
        self.connections = 0

    def run(self) -> None:
        """Serve one connection after the other until the answers are used up."""
        with self._listener:
            said = next(self._answers, None)
            while said is not None:
                client, _ = self._listener.accept()
                self.connections += 1
                with client:
                    said = self._talk(client, said)

    def _talk(self, client: socket.socket, said: bytes | None) -> bytes | None:
        """Answer on one connection until it ends; what is to be said on the next."""
        while said is not None and (request := _request(client)):
            self.asked.append(request)
            client.sendall(said)
            is_over = said == GONE or b"Connection: close" in said
            said = next(self._answers, None)
            if is_over:
                break
        return said


def _request(client: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = client.recv(65_536)
        if not chunk:
            return b""
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    sizes = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < sum(sizes):
        body += client.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextmanager
def scripted(*answers: bytes) -> Iterator[Scripted]:
    """A server that gives these answers; all of them must be used."""
    server = Scripted(answers)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server
    thread.join(5)
    assert not thread.is_alive(), "not all answers were asked for"
