"""docs/webhooks.md tells the truth: a receiver that is registered as it says is called, and can check who calls."""

import asyncio
from pathlib import Path

from tests.docs.blocks import Blocks, runs
from tests.docs.shells import answers, session
from tests.receivers import receiving

OPEN = {"TIDEMARK_OUTBOUND__ALLOW": '["127.0.0.0/8"]'}


@runs("docs/webhooks.md", "sh", "python")
async def test_what_is_registered_is_called_and_the_check_takes_what_comes(tmp_path: Path, blocks: Blocks) -> None:
    register, check = blocks
    async with receiving() as receiver:
        with session(tmp_path, OPEN, here={"https://shop.example.com/hook": receiver.url}) as page:
            page.server.create("orders", is_public=False)
            [endpoint] = answers(await asyncio.to_thread(page.type, register))
            for kind in ("order.sent", "order.paid"):
                event = {"type": kind, "data": {"status": kind}}
                await asyncio.to_thread(page.server.ask, "POST", "/channels/orders/events", json=event)
            await receiver.took(1, timeout_s=60)
            [request] = receiver.requests
    own = {"secret": endpoint["secret"], "body": request.body, "headers": request.headers}
    exec(check.text, own)  # noqa: S102 - a block of our own page
    assert own["event"]["data"] == {"status": "order.paid"} and own["event"]["type"] == "order.paid"
