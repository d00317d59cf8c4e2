"""The load client sees every fault of a server; the `websockets` server is what it is tried against."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from bench.event import MARK
from bench.load import Load, LoadFailed, run_load
from bench.native import Tools
from bench.report import Report, fault_of
from bench.requests import post, upgrade
from bench.target import Readers, Requests, Target

Serve = Callable[[ServerConnection], Awaitable[None]]
Run = Callable[..., Awaitable[Report]]


def event(sequence: int, line: int = 0) -> str:
    """An event with a mark, as old as the machine."""
    return f'{{"data":{{"mark":"mark={line:04x}{sequence:08x}{1:016x}"}}}}'


@pytest.fixture
def run(checked_tools: Tools) -> Run:
    """Run the load client without blocking the loop that serves it."""

    async def run_it(target: Target, load: Load) -> Report:
        return await asyncio.to_thread(run_load, checked_tools.load_client, 0, target, load)

    return run_it


@asynccontextmanager
async def sockets_served(handler: Serve, **options: Any) -> AsyncIterator[Target]:
    """A WebSocket server that treats each reader like this."""
    async with serve(handler, "127.0.0.1", 0, compression=None, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield Target(Readers(port, (upgrade("/"),)))


def sending(*events: str) -> Serve:
    """Send these events, then wait until the reader goes."""

    async def handler(socket: ServerConnection) -> None:
        for text in events:
            await socket.send(text)
        await socket.wait_closed()

    return handler


async def test_readers_that_get_everything_once_and_in_order_have_no_fault(run: Run) -> None:
    async with sockets_served(sending(*(event(n) for n in range(1, 51)))) as target:
        report = await run(target, Load(3, expect=50))
    assert fault_of(report, caught_up=3) == ""
    assert (report.delivered, report.subscribed, report.caught_up.count) == (150, 3, 3)


@pytest.mark.parametrize(
    ("sequences", "fault"),
    [
        ([1, 3], "1 gaps, 0 duplicates"),
        ([2, 3], "1 gaps, 0 duplicates"),
        ([1, 2, 2, 3], "0 gaps, 1 duplicates"),
        ([1, 3, 2], "1 gaps, 1 duplicates"),
    ],
)
async def test_a_gap_a_repetition_and_a_wrong_order_make_the_run_void(
    run: Run, sequences: list[int], fault: str
) -> None:
    async with sockets_served(sending(*map(event, sequences))) as target:
        report = await run(target, Load(1, expect=len(set(sequences)) + 1, patience_s=0.3))
    assert fault in fault_of(report)


async def test_the_order_of_each_publisher_counts_and_not_the_one_between_them(run: Run) -> None:
    mixed = [event(1, 1), event(1, 0), event(2, 0), event(2, 1)]
    async with sockets_served(sending(*mixed)) as target:
        report = await run(target, Load(1, expect=4, lines=2))
    assert fault_of(report, caught_up=1) == ""


async def test_an_event_of_another_channel_is_a_stray(run: Run) -> None:
    async with sockets_served(sending(event(1), event(1, 7))) as target:
        report = await run(target, Load(1, expect=2, patience_s=0.3))
    assert "1 stray" in fault_of(report)


async def test_a_close_makes_the_run_void_and_its_code_is_told(run: Run) -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.send(event(1))
        await socket.close(4408, "lagging")

    async with sockets_served(handler) as target:
        report = await run(target, Load(1, expect=2))
    assert "closed with 4408 lagging" in fault_of(report)


async def test_a_refused_handshake_makes_the_run_void_and_its_status_is_told(run: Run) -> None:
    async with sockets_served(sending(), process_request=lambda socket, _: socket.respond(503, "full\n")) as target:
        report = await run(target, Load(2))
    assert "HTTP/1.1 503 Service Unavailable full" in fault_of(report)


async def test_a_port_where_nobody_listens_makes_the_run_void(run: Run) -> None:
    async with sockets_served(sending()) as target:
        pass
    assert "could not connect" in fault_of(await run(target, Load(1)))


async def test_pings_are_answered_and_large_frames_are_read(run: Run) -> None:
    async def handler(socket: ServerConnection) -> None:
        for n, size in enumerate((0, 126, 65_536, 200_000), 1):
            await socket.send(event(n) + " " * size)
            await (await socket.ping())
        await socket.send(event(5))
        await socket.wait_closed()

    async with sockets_served(handler) as target:
        report = await run(target, Load(1, expect=5))
    assert fault_of(report, caught_up=1) == ""


async def test_frames_that_come_byte_by_byte_are_put_together(run: Run) -> None:
    async def handler(socket: ServerConnection) -> None:
        frame = event(1).encode()
        for byte in (0x81, len(frame), *frame):
            socket.transport.write(bytes([byte]))
            await asyncio.sleep(0)
        await socket.wait_closed()

    async with sockets_served(handler) as target:
        report = await run(target, Load(1, expect=1))
    assert fault_of(report, caught_up=1) == ""


async def test_a_first_frame_is_sent_and_its_answer_awaited(run: Run) -> None:
    async def handler(socket: ServerConnection) -> None:
        asked = await socket.recv()
        await socket.send(f"subscribed to {asked!s}")
        await socket.send(event(1))
        await socket.wait_closed()

    async with sockets_served(handler) as target:
        readers = target.readers
        assert readers is not None
        told = Readers(readers.port, readers.heads, first=b"news", ready="subscribed to news")
        report = await run(Target(told), Load(1, expect=1))
    assert fault_of(report, caught_up=1) == ""


class Http:
    """A server that takes requests one after the other and answers them as it is told to."""

    def __init__(self, answer: Callable[[int], Awaitable[bytes]]) -> None:
        self._answer = answer
        self.marks: list[tuple[int, int, int]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection until it is closed."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                for part in (await reader.readexactly(length)).split(b"mark=")[1:]:
                    self.marks.append((int(part[:4], 16), int(part[4:12], 16), int(part[12:28], 16)))
                writer.write(await self._answer(len(self.marks)))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def http_served(answer: Callable[[int], Awaitable[bytes]], marks: int = 1) -> AsyncIterator[tuple[Http, Target]]:
    """A server with a publish of so many events a request."""
    http = Http(answer)
    async with await asyncio.start_server(http.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield http, Target(requests=Requests(port, (post("/", b",".join([MARK] * marks)),)))


async def created(_: int) -> bytes:
    return b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"


async def test_every_event_of_a_publisher_has_the_next_number(run: Run) -> None:
    async with http_served(created, marks=3) as (http, target):
        report = await run(target, Load(publishers=2, seconds=20, count=10))
    assert fault_of(report) == ""
    for line in (0, 1):
        numbers = [sequence for publisher, sequence, _ in http.marks if publisher == line]
        assert numbers == list(range(1, len(numbers) + 1))
    assert len(http.marks) == 30


async def test_on_a_schedule_events_bear_the_time_at_which_they_were_due_however_late_they_go(run: Run) -> None:
    """The server holds its first answer: what was due meanwhile waits, and its stamps must not."""
    held_s = 0.3

    async def answer(count: int) -> bytes:
        await asyncio.sleep(held_s if count == 1 else 0)
        return await created(count)

    async with http_served(answer) as (http, target):
        report = await run(target, Load(publishers=1, mode="paced", rate=100, seconds=0.5))
    assert fault_of(report) == ""
    stamps = [stamp for _, _, stamp in http.marks]
    assert len(stamps) >= 50
    assert all(stamp - stamps[0] == i * 10_000_000 for i, stamp in enumerate(stamps))
    window = report.window
    assert window is not None
    # Each of the thirty that were due during the hold was answered after it, so no earlier than so long after its time.
    late = sum(count for ns, count in window.answer.buckets if ns >= 0.5 * held_s * 1e9)
    assert late >= 0.5 * held_s * 100


async def test_what_never_goes_out_makes_a_schedule_void(run: Run) -> None:
    async def never(count: int) -> bytes:
        await asyncio.sleep(60)
        return b""

    async with http_served(never) as (_, target):
        report = await run(target, Load(publishers=1, mode="paced", rate=100, seconds=0.2, settle_s=0.1))
    assert "requests of the schedule never went out" in fault_of(report)


async def test_a_server_may_close_idle_publishers_while_the_last_deliveries_are_awaited(run: Run) -> None:
    """The one answer closes; the one reader gets its event only when that has been seen."""
    publisher_is_gone = asyncio.Event()

    async def serve_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(MARK[-5:])
        writer.write(await created(0))
        writer.close()
        await writer.wait_closed()
        publisher_is_gone.set()

    async def deliver_late(socket: ServerConnection) -> None:
        await publisher_is_gone.wait()
        await socket.send(event(1))
        await socket.wait_closed()

    async with sockets_served(deliver_late) as target, await asyncio.start_server(serve_once, "127.0.0.1", 0) as server:
        requests = Requests(server.sockets[0].getsockname()[1], (post("/", MARK),))
        report = await run(Target(target.readers, requests), Load(1, 1, seconds=20, count=1))
    assert fault_of(report) == ""
    assert report.delivered == 1


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", "429"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "without Content-Length"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000, "a head too long"),
    ],
)
async def test_an_answer_that_is_not_a_plain_success_makes_the_run_void(run: Run, answer: bytes, says: str) -> None:
    async def refuse(_: int) -> bytes:
        return answer

    async with http_served(refuse) as (_, target):
        report = await run(target, Load(publishers=1, seconds=5))
    assert says in fault_of(report)


async def test_answers_in_pieces_are_put_together(run: Run) -> None:
    async def serve_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            await reader.readuntil(MARK[:5])
            for byte in await created(0):
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve_slowly, "127.0.0.1", 0) as server:
        requests = Requests(server.sockets[0].getsockname()[1], (post("/", MARK),))
        report = await run(Target(requests=requests), Load(publishers=1, seconds=20, count=3))
    assert fault_of(report) == ""
    assert report.window is not None
    assert report.window.all_answers == 3


async def test_lines_of_another_protocol_are_answers_too(run: Run) -> None:
    pongs: list[bytes] = []

    async def serve_lines(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"INFO {}\r\n")
        while line := await reader.readline():
            if line == b"PONG\r\n":
                pongs.append(line)
            else:
                writer.write(b"+OK\r\nPING\r\n" if line.startswith(b"CONNECT") else b"+OK\r\n")
        writer.close()

    async with await asyncio.start_server(serve_lines, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        requests = Requests(port, (b"PUB %b\r\n" % MARK,), first=b"CONNECT\r\n", http=False)
        report = await run(Target(requests=requests), Load(publishers=2, seconds=20, count=20))
    assert fault_of(report) == ""
    assert len(pongs) == 2


async def test_a_process_that_is_gone_ends_the_run_with_its_name(run: Run) -> None:
    with pytest.raises(LoadFailed, match="process is gone"):
        await run(Target(servers=(2**22 + 1,)), Load())


async def test_each_of_several_requests_has_a_sequence_of_its_own_that_one_publisher_sends(run: Run) -> None:
    async with http_served(created) as (http, target):
        assert target.requests is not None
        requests = Requests(target.requests.port, tuple(post(f"/{i}", MARK) for i in range(5)))
        report = await run(Target(requests=requests), Load(publishers=2, seconds=20, count=40))
    assert fault_of(report) == ""
    assert {line for line, _, _ in http.marks} == set(range(5))
    for line in range(5):
        numbers = [sequence for each, sequence, _ in http.marks if each == line]
        assert numbers == list(range(1, len(numbers) + 1))


async def test_more_publishers_than_requests_are_refused_as_their_order_would_be_chance(run: Run) -> None:
    requests = Requests(1, (post("/1", MARK), post("/2", MARK)))
    with pytest.raises(LoadFailed, match="more publishers than requests"):
        await run(Target(requests=requests), Load(publishers=3))


async def test_readers_of_different_channels_each_check_their_own(run: Run) -> None:
    """Reader i follows channel i; an event of the neighbour is a stray."""

    async def handler(socket: ServerConnection) -> None:
        assert socket.request is not None
        channel = int(socket.request.path[1:])
        for sequence in (1, 2):
            await socket.send(event(sequence, channel if channel < 2 else 0))
        await socket.wait_closed()

    async with sockets_served(handler) as target:
        assert target.readers is not None
        port, heads = target.readers.port, tuple(upgrade(f"/{i}") for i in range(3))
        right = await run(Target(Readers(port, heads[:2])), Load(4, expect=2))
        wrong = await run(Target(Readers(port, heads)), Load(3, expect=2, patience_s=0.3))
    assert fault_of(right, caught_up=4) == ""
    assert "2 stray" in fault_of(wrong)


def test_what_the_client_does_not_understand_is_refused(checked_tools: Tools, tmp_path: Path) -> None:
    with pytest.raises(LoadFailed, match="unknown mode: fast"):
        run_load(checked_tools.load_client, 0, Target(), Load(mode="fast"))
