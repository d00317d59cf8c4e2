"""The load client sees every fault of what its readers are sent."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection

from bench.load import Load, LoadFailed, run_load
from bench.native import Tools
from bench.report import fault_of
from bench.requests import upgrade
from bench.target import Readers, Target
from tests.bench.load_servers import Run, event, sending, sockets_served


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


async def test_a_process_that_is_gone_ends_the_run_with_its_name(run: Run) -> None:
    with pytest.raises(LoadFailed, match="process is gone"):
        await run(Target(servers=(2**22 + 1,)), Load())


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


def test_what_the_client_does_not_understand_is_refused(checked_tools: Tools) -> None:
    with pytest.raises(LoadFailed, match="unknown mode: fast"):
        run_load(checked_tools.load_client, 0, Target(), Load(mode="fast"))
