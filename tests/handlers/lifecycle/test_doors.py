"""The largest legal event of the lifecycle comes whole through every door of its channel (design section 8)."""

import asyncio
import json
from typing import Any

import pytest

from broker.strictjson import render_json
from handlers.lifecycle.models import MOST_METADATA_BYTES
from tests.broker_server import API
from tests.handlers.lifecycle.calls import ID, Caller, query

CHANNEL = "/channels/lifecycle-team-acme"
LARGEST = {
    "escaped": {"title": "\x01" * ((MOST_METADATA_BYTES - 12) // 6)},
    "wide": {"title": "\U0001f600" * ((MOST_METADATA_BYTES - 12) // 4)},
    "numbers": {"n": [10**18 + 1] * ((MOST_METADATA_BYTES - 12) // 20)},
}


@pytest.mark.parametrize("metadata", LARGEST.values(), ids=LARGEST.keys())
async def test_the_largest_event_is_read_at_every_door(acme: Caller, metadata: dict[str, Any]) -> None:
    assert MOST_METADATA_BYTES - 30 < len(render_json(metadata)) <= MOST_METADATA_BYTES
    await acme.create(
        ID, metadata=metadata, schedule=1, planned_start_time=(1 << 63) - 2, planned_finish_time=(1 << 63) - 1
    )
    start = (await acme.ask("Select", query(ID))).headers["Tidemark-Cursor"]
    async with acme.server.socket(f"{CHANNEL}/ws", acme.key) as socket:
        [canceled] = await acme.good("Cancel", query(ID))
        frame = json.loads(await asyncio.wait_for(socket.recv(), 10))
    assert canceled["metadata"] == metadata and frame["data"]["event"] == canceled
    headers = {"Authorization": f"Bearer {acme.key}"}
    page = (await acme.server.http.get(f"{API}{CHANNEL}/events?cursor={start}", headers=headers)).json()
    one = (await acme.server.http.get(f"{API}{CHANNEL}/events/{frame['id']}", headers=headers)).json()
    assert page["events"] == [frame] and one == frame
    url = f"{API}{CHANNEL}/sse?cursor={start}"
    async with acme.server.http.stream("GET", url, headers=headers) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                assert json.loads(line.removeprefix("data: ")) == frame
                break
    async with acme.server.socket("/ws", acme.key) as many:
        await many.send(json.dumps({"subscribe": {"channel": CHANNEL[10:], "cursor": start}}))
        heard = [json.loads(await asyncio.wait_for(many.recv(), 10)) for _ in range(2)]
    assert frame in heard, heard[0]
