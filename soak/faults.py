"""The faults, by name: each does its harm, waits, and answers when everything that it touched is there again.

Those that hit one of two are given which. What they cost is measured elsewhere.
"""

import asyncio
from collections.abc import Awaitable, Callable
from types import MappingProxyType

from redis.asyncio import Redis

from soak.program import Program
from soak.proxy import Proxy
from soak.stage import Broker, Stage

RESTART_S = 0.3
ENGINE_RESTART_S = 0.7
ENGINE_TERM_S = 1.2
STOP_S = 1.5
ENGINE_STOP_S = 2.0
HOLE_S = 1.7
HOLE_ALL_S = 0.9
SLOW_S = 0.2
SLOW_FOR_S = 2.0
DROP_SHARE = 0.5
DROP_FOR_S = 2.0

Harm = Callable[[Stage, Broker], Awaitable[None]]


async def kill_broker(_: Stage, broker: Broker) -> None:
    """SIGKILL to a broker, and a new one on the same port."""
    await broker.program.kill()
    await asyncio.sleep(RESTART_S)
    await broker.program.start()


async def restart_broker(_: Stage, broker: Broker) -> None:
    """SIGTERM to a broker: it drains and closes its readers, then it is started again."""
    status = await broker.program.stop()
    if status != 0:
        raise Misbehaved(f"a broker ended with status {status} at SIGTERM")
    await broker.program.start()


async def stop_broker(_: Stage, broker: Broker) -> None:
    """SIGSTOP to a broker for a while: half of all clients hang."""
    await _frozen(broker.program, STOP_S)


async def kill_engine(stage: Stage, _: Broker) -> None:
    """SIGKILL to the engine, and a new one on the same data."""
    await stage.engine.kill()
    await asyncio.sleep(ENGINE_RESTART_S)
    await stage.engine.start()


async def restart_engine(stage: Stage, _: Broker) -> None:
    """SIGTERM to the engine, and a new one on the same data."""
    await stage.engine.stop()
    await asyncio.sleep(ENGINE_TERM_S)
    await stage.engine.start()


async def stop_engine(stage: Stage, _: Broker) -> None:
    """SIGSTOP to the engine, for as long as a broker waits for an answer."""
    await _frozen(stage.engine, ENGINE_STOP_S)


async def kill_feeds(stage: Stage, _: Broker) -> None:
    """The engine cuts every subscribing connection."""
    await _kill_clients(stage, "pubsub")


async def kill_connections(stage: Stage, _: Broker) -> None:
    """The engine cuts every connection that is used for calls."""
    await _kill_clients(stage, "normal")


async def drop_messages(stage: Stage, _: Broker) -> None:
    """Half of all messages of the live feed are lost on their way to the brokers, also the last ones."""
    await _for_a_while([broker.engine for broker in stage.brokers], "drop_share", DROP_SHARE, DROP_FOR_S)


async def slow_engine(stage: Stage, _: Broker) -> None:
    """Answers of the engine are held by up to 200 ms."""
    await _for_a_while([broker.engine for broker in stage.brokers], "delay_s", SLOW_S, SLOW_FOR_S)


async def cut_broker_off(_: Stage, broker: Broker) -> None:
    """Nothing passes between one broker and the engine, and nobody is told (half-open)."""
    await _for_a_while([broker.engine], "is_hole", True, HOLE_S)


async def cut_brokers_off(stage: Stage, _: Broker) -> None:
    """The same for both brokers."""
    await _for_a_while([broker.engine for broker in stage.brokers], "is_hole", True, HOLE_ALL_S)


async def cut_engine_connections(_: Stage, broker: Broker) -> None:
    """Every connection between one broker and the engine is reset."""
    broker.engine.cut()


async def cut_clients(_: Stage, broker: Broker) -> None:
    """Every connection between clients and one broker is reset."""
    broker.clients.cut()


async def cut_clients_off(_: Stage, broker: Broker) -> None:
    """Nothing passes between clients and one broker, and nobody is told (half-open)."""
    await _for_a_while([broker.clients], "is_hole", True, HOLE_S)


FAULTS: MappingProxyType[str, Harm] = MappingProxyType(
    {
        "broker-kill": kill_broker,
        "broker-term": restart_broker,
        "broker-stop": stop_broker,
        "engine-kill": kill_engine,
        "engine-term": restart_engine,
        "engine-stop": stop_engine,
        "feed-kill": kill_feeds,
        "connections-kill": kill_connections,
        "feed-drop": drop_messages,
        "net-slow": slow_engine,
        "net-hole": cut_broker_off,
        "net-hole-all": cut_brokers_off,
        "net-cut": cut_engine_connections,
        "client-cut": cut_clients,
        "client-hole": cut_clients_off,
    }
)


class Misbehaved(Exception):
    """Something went otherwise than a fault expects; the text says what."""


async def _frozen(program: Program, seconds: float) -> None:
    program.freeze()
    try:
        await asyncio.sleep(seconds)
    finally:
        program.thaw()


async def _kill_clients(stage: Stage, kind: str) -> None:
    async with Redis(host="127.0.0.1", port=stage.engine_port) as client:
        await client.client_kill_filter(_type=kind, skipme=True)


async def _for_a_while(proxies: list[Proxy], attribute: str, value: float, seconds: float) -> None:
    for proxy in proxies:
        setattr(proxy, attribute, value)
    try:
        await asyncio.sleep(seconds)
    finally:
        for proxy in proxies:
            setattr(proxy, attribute, type(value)())
