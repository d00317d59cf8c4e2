"""A driver of the Python client, one process: `python -m soak.clients.driver FACE JSON`, FACE is `sync` or `async`.

What it is asked and tells: `soak.clients.told`. The same in JavaScript is `driver.js`.
"""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from soak.publishers import LAST
from tidemark_client import AsyncClient, Client, Draft, Event, Gap, TidemarkError, Timing

TYPES = ("red", "green", None)
BATCHES = (1, 1, 3)
PAUSE_S = 0.03
PATIENCE_S = 120.0

_out = threading.Lock()


def tell(**told: Any) -> None:
    """One line."""
    line = json.dumps({**told, "at_s": time.monotonic()})
    with _out:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def drafts_of(name: str, number: int) -> list[Draft]:
    """The events of a publish: now one, now several."""
    size = BATCHES[number % len(BATCHES)]
    return [
        Draft({"name": f"{name}-{number}-{i}", "pad": "." * (97 * number % 1500)}, TYPES[(number + i) % 3])
        for i in range(size)
    ]


def tell_beginning(drafts: list[Draft]) -> None:
    """A publish begins."""
    tell(began=[[draft.data["name"], draft.type] for draft in drafts])


def tell_event(reader: str, event: Event) -> bool:
    """A reader was given an event; whether it was the last."""
    name = event.data.get("name", "") if isinstance(event.data, dict) else ""
    tell(seen={"id": event.id, "type": event.type, "data": {"name": name}}, reader=reader)
    return event.type == LAST


def options_of(asked: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a client."""
    return {
        "token": asked["token"],
        "timing": Timing(**asked["timing"]),
        "patience_s": PATIENCE_S,
        "on_trouble": lambda text: tell(trouble=text),
    }


def tell_gap(reader: str) -> Callable[[Gap], None]:
    """What tells the gaps of a reader."""
    return lambda gap: tell(gap=list(gap), reader=reader)


def drive_sync(asked: dict[str, Any]) -> None:
    """The blocking face: a thread for each reader, and this one publishes."""
    is_over = threading.Event()
    _when_told(is_over.set)
    with Client(asked["url"], **options_of(asked)) as client:
        threads = [threading.Thread(target=_read_sync, args=(client, asked, reader)) for reader in asked["readers"]]
        for thread in threads:
            thread.start()
        number = 0
        while not is_over.is_set():
            _publish_sync(client, asked, drafts_of(asked["name"], number))
            number += 1
            is_over.wait(PAUSE_S)
        tell(stopped=True)
        for thread in threads:
            thread.join()


def _publish_sync(client: Client, asked: dict[str, Any], drafts: list[Draft]) -> None:
    tell_beginning(drafts)
    try:
        tell(acked=[event.id for event in client.publish_batch(asked["channel"], drafts)])
    except TidemarkError as error:
        tell(failed=f"a publish: {error!r}")


def _read_sync(client: Client, asked: dict[str, Any], reader: dict[str, Any]) -> None:
    name = reader["name"]
    try:
        with client.follow(**_following(asked, reader)) as follower:
            for event in follower:
                if tell_event(name, event):
                    tell(done=name)
                    return
    except TidemarkError as error:
        tell(failed=f"{name}: {error!r}")


async def drive_async(asked: dict[str, Any]) -> None:
    """The asyncio face: a task for each reader, and this one publishes."""
    is_over = asyncio.Event()
    loop = asyncio.get_running_loop()
    _when_told(lambda: loop.call_soon_threadsafe(is_over.set))
    async with AsyncClient(asked["url"], **options_of(asked)) as client, asyncio.TaskGroup() as group:
        for reader in asked["readers"]:
            group.create_task(_read_async(client, asked, reader))
        number = 0
        while not is_over.is_set():
            await _publish_async(client, asked, drafts_of(asked["name"], number))
            number += 1
            await asyncio.sleep(PAUSE_S)
        tell(stopped=True)


async def _publish_async(client: AsyncClient, asked: dict[str, Any], drafts: list[Draft]) -> None:
    tell_beginning(drafts)
    try:
        tell(acked=[event.id for event in await client.publish_batch(asked["channel"], drafts)])
    except TidemarkError as error:
        tell(failed=f"a publish: {error!r}")


async def _read_async(client: AsyncClient, asked: dict[str, Any], reader: dict[str, Any]) -> None:
    name = reader["name"]
    try:
        async with client.follow(**_following(asked, reader)) as follower:
            async for event in follower:
                if tell_event(name, event):
                    tell(done=name)
                    return
    except TidemarkError as error:
        tell(failed=f"{name}: {error!r}")


def _when_told(stop: Callable[[], object]) -> None:
    def listen() -> None:
        sys.stdin.readline()
        stop()

    threading.Thread(target=listen, daemon=True).start()


def _following(asked: dict[str, Any], reader: dict[str, Any]) -> dict[str, Any]:
    return {
        "channel_id": asked["channel"],
        "cursor": asked["cursor"],
        "types": reader["types"],
        "transports": reader["transports"],
        "on_gap": tell_gap(reader["name"]),
    }


if __name__ == "__main__":
    question = json.loads(sys.argv[2])
    if sys.argv[1] == "async":
        asyncio.run(drive_async(question))
    else:
        drive_sync(question)
