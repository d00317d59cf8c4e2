"""How webhooks of channels are delivered: the signatures of this server, and who may still read what.

An endpoint on a private channel is served while the trusted key counts that its owner registered it with, and that key
may grant to read the channel; else it waits with its cursor.
"""

from broker.channels import ChannelRecord
from broker.delivery_forms import Composed, Form, note_attempts
from broker.delivery_signing import Delivered, headers_of
from broker.endpoints import Endpoint, Owner
from broker.events import Frame
from broker.pages import Types
from broker.strictjson import render_json
from handlers.broker import Broker


def channel_form(broker: Broker, *, server_url: str, timeout_s: float) -> Form:
    """The form of the deliveries of this process; `server_url` is where receivers find its public key."""

    def compose(endpoint: Endpoint, channel: ChannelRecord, frame: Frame, now_ms: int) -> Composed:
        delivered = Delivered(frame.id, channel.id, frame.wire)
        return Composed(headers_of(broker.signing_key, endpoint.id, server_url, delivered, now_ms), frame.wire)

    async def may_read(channel: ChannelRecord, owner: Owner) -> bool:
        # A key that another process removed a moment ago reads nothing.
        await broker.trust.look()
        if owner.key_id is not None and not owner.key_x:
            await broker.auth.learn_id(owner.key_id)
        return broker.verifier.may_read_by(owner.key_id, owner.key_x, channel.id)

    return Form(compose=compose, types=types_of, may_read=may_read, note=note_attempts, timeout_s=timeout_s)


def types_of(endpoint: Endpoint) -> Types | None:
    """The types that an endpoint gets, None for all."""
    kinds = endpoint.event_types
    return None if kinds is None else frozenset(render_json(kind) for kind in kinds)
