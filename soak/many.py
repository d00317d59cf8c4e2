"""The door of many channels: one socket on `/api/v1/ws` that follows all of them, each with its own cursor."""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect

from soak.history import History
from soak.readers import EXPIRED, Reader, Refused
from soak.stage import API, Broker, Stage
from soak.ways import BROKEN, FOR_NOW, PAUSE_S, options_of


async def follow_many(stage: Stage, history: History, readers: Sequence[Reader], chance: random.Random) -> None:
    """Read all of them over one socket at a time, until everything was read."""
    while not all(reader.is_done for reader in readers):
        for reader in readers:
            await reader.come()
        try:
            await _read(stage, chance.choice(stage.brokers), {reader.reading.channel: reader for reader in readers})
        except BROKEN:
            pass
        except Refused as refused:
            history.remarks.append(f"{readers[0].reading.reader}: {refused}")
        await asyncio.sleep(chance.uniform(0, 2 * PAUSE_S))


async def _read(stage: Stage, broker: Broker, readers: Mapping[str, Reader]) -> None:
    async with connect(f"{broker.socket_url}{API}/ws", **options_of(stage)) as socket:
        for channel, reader in readers.items():
            await _subscribe(socket, channel, reader)
        while not all(reader.is_done for reader in readers.values()):
            told = orjson.loads(await socket.recv())
            if not take_told(readers, told) or any(reader.is_held for reader in readers.values()):
                return


async def _subscribe(socket: ClientConnection, channel: str, reader: Reader) -> None:
    types = reader.reading.types
    asked = {"channel": channel, "cursor": reader.cursor, **({} if types is None else {"types": sorted(types)})}
    await socket.send(json.dumps({"ref": channel, "subscribe": asked}))


def take_told(readers: Mapping[str, Reader], told: Any) -> bool:
    """Take in one message; False when this socket is of no more use. Raises `Refused` for what is none of ours."""
    match told:
        case {"id": _, "channel_id": channel}:
            readers[channel].take(told)
        case {"subscribed": {"channel": channel, "cursor": cursor, "complete": is_complete}}:
            if is_complete:
                readers[channel].move(cursor)
            else:
                readers[channel].miss(cursor)
        case {"position": places}:
            for channel, cursor in places.items():
                readers[channel].move(cursor)
        case {"ended": {"channel": channel, "code": code, "cursor": str(cursor)}}:
            if code == EXPIRED:
                readers[channel].miss(cursor)
            else:
                readers[channel].move(cursor)
            return False
        case {"closing": places}:
            for channel, cursor in places.items():
                readers[channel].move(cursor)
            return False
        case {"error": {"status": status}} if status in FOR_NOW:
            return False
        case _:
            raise Refused(f"was told {told}")
    return True
