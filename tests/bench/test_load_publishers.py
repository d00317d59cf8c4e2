"""The load client publishes in order and on time, and sees every answer that is no success."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection

from bench.event import MARK
from bench.load import Load, LoadFailed
from bench.report import fault_of
from bench.requests import post
from bench.target import Requests, Target
from tests.bench.load_servers import Run, created, event, http_served, sockets_served


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
