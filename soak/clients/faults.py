"""What is done to the clients: to their connections, each in its own way, and to the broker behind.

Each fault takes its harm back when it ends, but what became of a single connection stays: a client that hangs on one
which is half-open has to find out by itself.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from types import MappingProxyType

from soak.fates import Fate
from soak.faults import kill_broker, restart_broker
from soak.stage import Broker, Stage

MID_FRAME_FOR_S = 0.8
MID_FRAME_BYTES = 3_000
LOST_FOR_S = 0.4
HOLE_S = 0.6
STALLED_SHARE = 0.5

Harm = Callable[[Stage, Broker, random.Random], Awaitable[None]]


async def cut(_: Stage, broker: Broker, __: random.Random) -> None:
    """Every connection is reset."""
    broker.clients.cut()


async def cut_in_frames(_: Stage, broker: Broker, chance: random.Random) -> None:
    """For a while every connection, old and new, is cut after some bytes: in a frame, in a head, in a handshake."""

    def doomed() -> Fate:
        return Fate(left_bytes=chance.randint(1, MID_FRAME_BYTES))

    broker.clients.new_fate = doomed
    for fate in broker.clients.fates:
        fate.left_bytes = chance.randint(1, MID_FRAME_BYTES)
    try:
        await asyncio.sleep(MID_FRAME_FOR_S)
    finally:
        broker.clients.new_fate = Fate


async def stall(_: Stage, broker: Broker, chance: random.Random) -> None:
    """Half of the connections go silent in both directions, for ever, and nobody is told."""
    for fate in broker.clients.fates:
        fate.is_stalled = fate.is_stalled or chance.random() < STALLED_SHARE


async def lose_answers(_: Stage, broker: Broker, __: random.Random) -> None:
    """What is asked arrives and is done; its answers are lost, then every connection is cut."""
    for fate in broker.clients.fates:
        fate.is_deaf = True
    await asyncio.sleep(LOST_FOR_S)
    broker.clients.cut()


async def hole(_: Stage, broker: Broker, __: random.Random) -> None:
    """Nothing passes for a while; then everything does."""
    broker.clients.is_hole = True
    try:
        await asyncio.sleep(HOLE_S)
    finally:
        broker.clients.is_hole = False


async def kill(stage: Stage, broker: Broker, _: random.Random) -> None:
    """SIGKILL to the broker, and a new one on the same port."""
    await kill_broker(stage, broker)


async def drain(stage: Stage, broker: Broker, _: random.Random) -> None:
    """SIGTERM to the broker: it drains and sends everybody away, then it is started again."""
    await restart_broker(stage, broker)


CLIENT_FAULTS: MappingProxyType[str, Harm] = MappingProxyType(
    {
        "cut": cut,
        "cut-in-frames": cut_in_frames,
        "stall": stall,
        "lose-answers": lose_answers,
        "hole": hole,
        "kill": kill,
        "drain": drain,
    }
)
