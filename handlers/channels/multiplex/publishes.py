"""Publishing by commands: what `POST .../events` checks, in its order, for several at once (contract section 3)."""

from collections.abc import Sequence

from broker.channels import ChannelRecord
from broker.errors import Forbidden, Invalid, Refusal, Unauthorized
from broker.events import publish_of
from broker.scopes import Grant, is_reserved
from handlers.auth import NO_RIGHT
from handlers.broker import Broker
from handlers.channels.multiplex.commands import Publish
from handlers.channels.publishing import Published, Submission, idempotency, publish_in_order, take_rates

ANONYMOUS = "A token is required to publish"
NOT_LATER = "Here events are published at once: schedule them by POST .../events"
NO_LONGER_GOOD = "Invalid or expired token"


async def publish_all(broker: Broker, grant: Grant | None, commands: Sequence[Publish]) -> list[Published | Refusal]:
    """Publish each command's events, all or nothing, in this order; an outcome for each."""
    records: dict[str, ChannelRecord] = {}
    outcomes: list[Published | Refusal | Submission] = []
    for command in commands:
        try:
            outcomes.append(await _submission(broker, grant, command, records))
        except Refusal as refusal:
            outcomes.append(refusal)
    submissions = [outcome for outcome in outcomes if isinstance(outcome, Submission)]
    stored = iter(await publish_in_order(broker, submissions))
    return [next(stored) if isinstance(outcome, Submission) else outcome for outcome in outcomes]


async def _submission(
    broker: Broker, grant: Grant | None, command: Publish, records: dict[str, ChannelRecord]
) -> Submission:
    channel_id = command.channel_id
    if grant is None:
        raise Unauthorized(ANONYMOUS)
    if not broker.verifier.still_good(grant, broker.now_s()):
        raise Unauthorized(NO_LONGER_GOOD)
    if not grant.may_publish(channel_id) or is_reserved(channel_id):
        raise Forbidden(NO_RIGHT)
    if channel_id not in records:
        # The same record for all of them, or their order is not kept.
        records[channel_id] = await broker.channels.find(channel_id)
    parsed = publish_of(command.body, broker.event_limits)
    if parsed.publish_at_ms is not None:
        raise Invalid(NOT_LATER)
    key = idempotency(broker, grant, channel_id, command.key, parsed)
    submission = Submission(records[channel_id], grant, parsed.drafts, key)
    await take_rates(broker, submission)
    return submission
