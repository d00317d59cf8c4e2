"""What deliveries to webhooks are made with: the signatures of this server, and who may still read what.

An endpoint on a private channel is served while the trusted key counts that its owner registered it with, and that key
may grant to read the channel; else it waits with its cursor.
"""

from broker.channels import ChannelRecord
from broker.delivery_signing import Delivered, headers_of
from broker.endpoints import Endpoint, Owner
from broker.webhooks import Parts, Send, Webhooks
from handlers.broker import Broker
from handlers.openapi import VERSION

USER_AGENT = f"Tidemark/{VERSION}"


def webhooks_of(broker: Broker, send: Send, *, server_url: str, timeout_s: float) -> Webhooks:
    """The deliveries of this process, made with `send`; `server_url` is where receivers find its public key."""

    def sign(endpoint: Endpoint, delivered: Delivered, now_ms: int) -> dict[str, str]:
        return headers_of(broker.signing_key, endpoint.id, server_url, delivered, now_ms)

    async def may_read(channel: ChannelRecord, owner: Owner) -> bool:
        # A key that another process removed a moment ago reads nothing.
        await broker.trust.look()
        if owner.key_id is not None and not owner.key_x:
            await broker.auth.learn_id(owner.key_id)
        return broker.verifier.may_read_by(owner.key_id, owner.key_x, channel.id)

    return Webhooks(
        Parts(
            log=broker.log,
            endpoints=broker.endpoints,
            reader=broker.reader,
            commits=broker.commits,
            deliveries=broker.deliveries,
            send=send,
            sign=sign,
            may_read=may_read,
            refresh=broker.channels.refresh,
            timeout_s=timeout_s,
        )
    )
