"""A process that delivers, says where it is, and stands still there: `python -m tests.webhooks.postman URL PLACE`.

Places: `send` is right before a delivery is sent, `record` between the answer of the receiver and the commit, `rest`
between the commit and the end of the claim. At other places it goes on.
"""

import asyncio
import sys
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.channels import ChannelRecord
from broker.delivery_forms import Composed, Form, note_attempts
from broker.endpoints import CHANNEL_FORM, Endpoint, EndpointLimits, Owner, Registration, register
from broker.events import Frame
from broker.scheduler import SchedulerLimits
from broker.signing import SigningKey
from broker.storage.deliveries import KIND, Deliveries
from broker.storage.endpoints import Endpoints
from broker.webclient import Answered, Call, open_client
from broker.webhooks import Parts, Send, Webhooks
from handlers.broker import CalendarSite
from handlers.calendar.delivering import form_of
from handlers.calendar.webhooks import FORM as CALENDAR_FORM
from handlers.channels.delivering import types_of
from tests.clockwork import worker_of
from tests.stores import Store, open_store
from tests.webhooks.networks import LOOPBACK

LEASE_S = 0.5
KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(b"the key of all these processes.."))


async def follow(store: Store, channel: Any, url: str, endpoint_id: str = "wh_1", ttl_s: int = 3_600) -> Endpoint:
    """Register an endpoint that gets everything."""
    asked, owner = Registration(url, None, ttl_s), Owner("ann", is_anonymous=False)

    def decide(registered: Any, now_ms: int) -> Any:
        return register(registered, asked, owner, EndpointLimits(100, 100), new_id=endpoint_id, now_ms=now_ms)

    made: Endpoint = await Endpoints(store.engine).change(channel, decide)
    return made


def webhooks_on(store: Store, send: Send, deliveries: Deliveries | None = None) -> Webhooks:
    """Deliveries of a process; of channels' endpoints with the event's id for a signature."""
    return Webhooks(
        Parts(
            log=store.log,
            endpoints=Endpoints(store.engine),
            reader=store.reader,
            commits=store.commits,
            deliveries=deliveries or Deliveries(store.engine),
            send=send,
            forms={CHANNEL_FORM: plain_form(), CALENDAR_FORM: form_of(KEY, store.reader, CalendarSite())},
            refresh=store.channels.refresh,
        )
    )


def plain_form() -> Form:
    """Sends events as they are, with their ids."""

    async def may_read(*_: Any) -> bool:
        return True

    def compose(_: Endpoint, __: ChannelRecord, frame: Frame, ___: int) -> Composed:
        return Composed({"webhook-id": frame.id, "Content-Type": "application/json"}, frame.wire)

    return Form(compose=compose, types=types_of, may_read=may_read, note=note_attempts, timeout_s=2.0)


async def stand(here: str, place: str) -> None:
    """Say where we are, and go no further, if this is the place."""
    if here == place:
        sys.stdout.write(f"{here}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


class Standing(Deliveries):
    """Deliveries that stand still before they end a claim."""

    place = ""

    async def rest(self, claimed: Any, due_ms: int | None) -> bool:
        """End the claim, or stand still."""
        await stand("rest", self.place)
        return await super().rest(claimed, due_ms)


async def main(url: str, place: str) -> None:
    async with open_store(url) as store, open_client(LOOPBACK, user_agent="postman") as client:

        async def send(call: Call) -> Answered:
            await stand("send", place)
            answer = await client.send(call)
            await stand("record", place)
            return answer

        deliveries = Standing(store.engine)
        deliveries.place = place
        webhooks = webhooks_on(store, send, deliveries)
        limits = SchedulerLimits(lease_s=LEASE_S, look_s=0.1)
        async with worker_of(store, deliveries, {KIND: webhooks.deliver}, limits):
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
