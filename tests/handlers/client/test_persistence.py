"""Calls that are sent again: while it may help, within a time, always the same request."""

import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from handlers.client.api import Api, Call, Refused, Unreachable
from handlers.client.persistence import persist
from handlers.client.publisher import Publisher, render_batch
from handlers.client.server_url import ServerUrl
from tests.external_engine import make_certificate
from tests.handlers.client.scripted import GONE, answer, scripted

CALL = Call("POST", "/x", b"{}", {"Idempotency-Key": "k"})
BUSY = answer(503, b'{"error": "The engine refuses writes now"}', "Retry-After: 0")


def api(url: str) -> Api:
    return Api(ServerUrl.parse(url), lambda: None, timeout_s=5)


def test_the_same_request_is_sent_until_there_is_an_answer() -> None:
    said: list[str] = []
    with scripted(BUSY, GONE, GONE, answer(502, b""), answer(429), answer(201, b'{"a":1}')) as server:
        client = api(server.url)
        assert persist(client, CALL, patience_s=20, say=said.append) == {"a": 1}
        client.close()
    assert len(set(server.asked)) == 1 and len(server.asked) == 6
    assert said == ["The engine refuses writes now (503); trying again"], "once is enough"


def test_what_will_not_pass_is_told_at_once() -> None:
    with scripted(answer(403, b'{"error": "Insufficient permissions"}')) as server:
        client = api(server.url)
        with pytest.raises(Refused, match=r"Insufficient permissions \(403\)"):
            persist(client, CALL, patience_s=20, say=lambda _: None)
        client.close()


def test_patience_ends_with_the_last_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    began = time.monotonic()
    with pytest.raises(Unreachable):
        persist(api(url), CALL, patience_s=0.3, say=lambda _: None)
    assert time.monotonic() - began < 0.3


def test_a_retry_after_beyond_the_patience_is_not_waited_for() -> None:
    began = time.monotonic()
    with scripted(answer(503, b"", "Retry-After: 60")) as server:
        client = api(server.url)
        with pytest.raises(Refused):
            persist(client, CALL, patience_s=20, say=lambda _: None)
        client.close()
    assert time.monotonic() - began < 5


def test_a_retry_after_is_waited_for() -> None:
    began = time.monotonic()
    with scripted(answer(503, b"", "Retry-After: 1"), answer(200)) as server:
        client = api(server.url)
        persist(client, CALL, patience_s=20, say=lambda _: None)
        client.close()
    assert time.monotonic() - began >= 1


def test_a_batch_is_sent_with_a_key_of_its_own_and_its_data_as_they_are() -> None:
    body = b'{"events":[{"type":"a\\"b","data":1.50},{"type":"a\\"b","data":{"x": 1e2}}]}'
    assert render_batch([b"1.50", b'{"x": 1e2}'], 'a"b') == body
    answers = [answer(201, b'{"events":[{"id":"A"},{"id":"B"}]}')] * 2
    with scripted(*answers) as server:
        client = api(server.url)
        publisher = Publisher(client, "news", type_name=None, patience_s=5, say=lambda _: None)
        assert [publisher.publish([b"1", b"2"]), publisher.publish([b"3"])] == [["A", "B"]] * 2
        client.close()
    keys = {line for asked in server.asked for line in asked.split(b"\r\n") if line.startswith(b"Idempotency-Key: ")}
    assert len(keys) == 2 and all(len(key) == 17 + 32 for key in keys)
    assert server.asked[0].endswith(b'{"events":[{"data":1},{"data":2}]}')


@contextmanager
def over_tls(directory: Path) -> Iterator[str]:
    """A server whose certificate nobody vouches for; its URL. It says nothing, as nobody gets so far."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_certificate(directory))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def shake_hands() -> None:
            client, _ = listener.accept()
            with client, suppress(ssl.SSLError), context.wrap_socket(client, server_side=True) as wrapped:
                wrapped.recv(1)

        thread = threading.Thread(target=shake_hands, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)


def test_a_server_that_nobody_vouches_for_is_not_asked_again(tmp_path: Path) -> None:
    with over_tls(tmp_path) as url, pytest.raises(Unreachable, match="self-signed certificate"):
        persist(api(url), CALL, patience_s=math.inf, say=lambda _: None)
