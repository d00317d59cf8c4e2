"""Reading that is held stays paused, whoever wants to go on."""

import asyncio

from handlers.serving.held_flow import HeldFlow


class Reading(asyncio.Transport):
    """A transport that notes whether it reads."""

    is_reading_now = True

    def pause_reading(self) -> None:
        self.is_reading_now = False

    def resume_reading(self) -> None:
        self.is_reading_now = True


async def test_what_is_held_reads_on_only_when_it_is_released() -> None:
    transport = Reading()
    flow = HeldFlow(transport)
    flow.hold()
    flow.resume_reading()
    assert not transport.is_reading_now and flow.read_paused
    flow.release()
    assert transport.is_reading_now and not flow.read_paused


async def test_what_is_paused_without_being_held_is_resumed_by_anybody() -> None:
    transport = Reading()
    flow = HeldFlow(transport)
    flow.pause_reading()
    flow.resume_reading()
    assert transport.is_reading_now
