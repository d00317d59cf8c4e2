"""Calls to others: real sockets, and none of them to where they must not go (reliability.md E, SSRF)."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from broker.webclient import KEPT_BYTES, Call, WebClient, open_client
from tests.broker.test_addresses import INWARD
from tests.certificates import Authority
from tests.receivers import Receiver, Request, receiving, status

LOOPBACK = [ip_network("127.0.0.0/8")]


class Names(AbstractResolver):
    """A resolver that answers each question with the next of its answers, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        addresses = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing to give back."""


def post(url: str, timeout_s: float = 5.0) -> Call:
    return Call("POST", url, {"Content-Type": "application/json", "X-Own": "1"}, b'{"a":1}', timeout_s)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@asynccontextmanager
async def client(*answers: Sequence[str]) -> AsyncIterator[WebClient]:
    """A client that may reach public addresses only, and knows names by these answers."""
    async with open_client((), user_agent="t", resolver=Names(*answers) if answers else None) as made:
        yield made


async def test_a_call_arrives_as_it_was_made_and_its_answer_comes_back() -> None:
    async with receiving(status(202, Retry_After="7")) as receiver, open_client(LOOPBACK, user_agent="T/1") as http:
        answer = await http.send(post(receiver.url + "?q=%2F"))
    assert (answer.status, answer.error, answer.headers["Retry-After"]) == (202, None, "7")
    [request] = receiver.requests
    assert request.body == b'{"a":1}' and request.headers["X-Own"] == "1"
    assert request.headers["User-Agent"] == "T/1" and "Cookie" not in request.headers


@pytest.mark.parametrize("address", [address for address in INWARD if "%" not in address])
async def test_a_name_that_resolves_inward_is_not_connected_to(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    monkeypatch.setattr("broker.webclient.socket.socket", lambda *args: made.append(1))
    async with client([address]) as http:
        answer = await http.send(post("http://hooks.example.com/"))
    assert answer.status is None and answer.error == f"the address {address} may not be called"
    assert made == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "localhost",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "[::]",
        "0.0.0.0",
        "127.0.0.1.",
    ],
)
async def test_no_spelling_of_an_inward_address_connects(host: str, receiver: Receiver) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    async with client() as http:
        answer = await http.send(post(f"http://{host}:{port}/"))
    assert answer.status is None and answer.error
    assert receiver.requests == []


async def test_a_name_that_is_rebound_between_two_questions_does_not_lead_inward(receiver: Receiver) -> None:
    """Public when it is first asked for, this machine from then on: what is judged is what is connected to."""
    port = receiver.url.split(":")[2].split("/")[0]
    names = Names(["192.0.2.1"], ["127.0.0.1"])
    async with open_client([ip_network("192.0.2.0/24")], user_agent="t", resolver=names) as http:
        answers = [await http.send(post(f"http://hooks.example.com:{port}/", 0.3)) for _ in range(3)]
    assert names.asked == 3 and [answer.status for answer in answers] == [None] * 3
    assert answers[1].error == answers[2].error == "the address 127.0.0.1 may not be called"
    assert receiver.requests == []


async def test_of_several_addresses_only_those_that_may_be_called_are(receiver: Receiver) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    async with open_client(LOOPBACK, user_agent="t", resolver=Names(["10.255.255.1", "127.0.0.1"])) as http:
        answer = await http.send(post(f"http://hooks.example.com:{port}/"))
    assert answer.status == 200
    async with client(["10.0.0.1", "127.0.0.1", "::1"]) as http:
        assert (await http.send(post(f"http://hooks.example.com:{port}/"))).status is None
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirects_are_answers_and_are_not_followed(code: int, receiver: Receiver) -> None:
    async with receiving(status(code, Location=receiver.url)) as first, open_client(LOOPBACK, user_agent="t") as http:
        answer = await http.send(post(first.url))
    assert answer.status == code
    assert receiver.requests == [] and len(first.requests) == 1


@pytest.mark.parametrize("url", ["gopher://127.0.0.1/", "file:///etc/passwd", "ftp://127.0.0.1/", "http://", "x"])
async def test_other_schemes_and_no_urls_are_refused_as_data(url: str) -> None:
    async with client() as http:
        answer = await http.send(post(url))
    assert answer.status is None and answer.error


async def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, open_client(LOOPBACK, user_agent="t") as http:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/hook"))
        assert (await http.send(post(receiver.url))).status == 200
        assert proxy.requests == [] and len(receiver.requests) == 1


async def test_who_does_not_answer_is_given_up_in_time() -> None:
    async def hang(_: Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with receiving(hang) as receiver, open_client(LOOPBACK, user_agent="t") as http:
        answer = await http.send(post(receiver.url, 0.2))
    assert (answer.status, answer.error) == (None, "no answer within 0.2 s")
    assert 150 <= answer.duration_ms < 5_000


async def test_who_does_not_take_the_connection_is_said_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.webclient.CONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(3):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        async with open_client(LOOPBACK, user_agent="t") as http:
            answer = await http.send(post(f"http://127.0.0.1:{full.getsockname()[1]}/"))
    assert (answer.status, answer.error) == (None, "no connection within 0.2 s")


async def test_a_body_without_end_is_read_up_to_its_bound() -> None:
    async def endless(_: Request) -> web.Response:
        return web.Response(body=b"x" * (KEPT_BYTES * 8))

    async with receiving(endless) as receiver, open_client(LOOPBACK, user_agent="t") as http:
        answer = await http.send(post(receiver.url))
        assert answer.status == 200 and len(answer.body) == KEPT_BYTES
        assert (await http.send(post(receiver.url))).status == 200


@asynccontextmanager
async def raw_server(answer: bytes) -> AsyncIterator[str]:
    """A server that says these bytes to everybody, and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(500)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
    ],
)
async def test_answers_that_are_none_or_too_much_are_failures_and_never_exceptions(said: bytes) -> None:
    async with raw_server(said) as url, open_client(LOOPBACK, user_agent="t") as http:
        answer = await http.send(post(url, 2.0))
    assert answer.status is None and answer.error and len(answer.error) <= 200


async def test_a_compressed_answer_stays_as_small_as_it_came() -> None:
    async def bomb(_: Request) -> web.Response:
        response = web.Response(body=b"0" * 50_000)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    async with receiving(bomb) as receiver, open_client(LOOPBACK, user_agent="t") as http:
        answer = await http.send(post(receiver.url))
    assert answer.status == 200 and len(answer.body) < 1_000


async def test_names_that_do_not_answer_hold_up_no_other_name_and_no_other_part(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, release, real = threading.Semaphore(0), threading.Event(), socket.getaddrinfo

    def resolve(host: str, *rest: Any) -> Any:
        if host == "dead.example.com":
            asked.release()
            release.wait(20)
            raise socket.gaierror("no answer")
        return real("127.0.0.1", *rest)

    monkeypatch.setattr("broker.webclient.socket.getaddrinfo", resolve)
    port = receiver.url.split(":")[2].split("/")[0]
    async with open_client(LOOPBACK, user_agent="t") as http:
        dead = [asyncio.create_task(http.send(post("http://dead.example.com/", 10))) for _ in range(40)]
        await asyncio.to_thread(lambda: [asked.acquire() for _ in range(40)])
        answer = await asyncio.wait_for(http.send(post(f"http://hooks.example.com:{port}/")), 5)
        assert answer.status == 200
        release.set()
        assert {(await each).status for each in dead} == {None}


async def test_a_certificate_that_nobody_vouches_for_is_a_failure(tmp_path: Path) -> None:
    chain, key, _ = Authority(tmp_path).sign()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server, open_client(LOOPBACK, user_agent="t") as http:
        answer = await http.send(post(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"))
    assert answer.status is None and answer.error is not None and "certificate" in answer.error.lower()


async def test_nobody_listens_is_a_failure_with_its_reason() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with open_client(LOOPBACK, user_agent="t") as http:
            answer = await http.send(post(f"http://127.0.0.1:{port}/"))
    assert answer.status is None and answer.error is not None and "Connect" in answer.error
