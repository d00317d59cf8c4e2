"""What the doors for publishing share: strict types, idempotency, and appends that keep their order (contract 3 and 7).

The order of a channel's publishes is the order in which they are handed in here, also when the channel is changed at
the same moment and some of them have to be decided again.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from broker.channels import ChannelRecord
from broker.errors import Invalid, NotFound, Refusal, Unavailable
from broker.events import Draft, Frame, Publish, Stored, frames_at, store
from broker.idempotency import make_key
from broker.ids import Position
from broker.scopes import Grant
from broker.storage.appender import Idempotency
from broker.storage.log import Stale
from broker.strictjson import render_json
from handlers.broker import Broker

DECISIONS = 32
"""How often a publish is decided anew while others keep changing the channel; each time is two calls of the engine."""


class Submission(NamedTuple):
    """A publish that its publisher may make: the events, and whose Idempotency-Key they came with."""

    channel: ChannelRecord
    grant: Grant
    drafts: tuple[Draft, ...]
    key: Idempotency | None


class Published(NamedTuple):
    """The events as stored, with their positions; `replayed` when an earlier call with the same key stored them."""

    channel: ChannelRecord
    stored: list[Stored]
    positions: list[Position]
    replayed: bool


def idempotency(broker: Broker, grant: Grant, channel_id: str, key: str | None, publish: Publish) -> Idempotency | None:
    """The Idempotency-Key of a publish, or None; raises `Invalid` for a bad one.

    Its scope is the principal, the method and the path of `POST .../events` at every door, and two publishes are the
    same when their events are. So a publish whose answer was lost on a socket can be repeated over HTTP.
    """
    if key is None:
        return None
    made = make_key(
        key,
        broker.limits.idempotency_key_chars,
        principal=grant.principal,
        method="POST",
        path=f"/api/v1/channels/{channel_id}/events",
        body=_render_publish(publish),
    )
    return None if made is None else Idempotency(made.row, made.body)


def check_types(broker: Broker, channel: ChannelRecord, drafts: tuple[Draft, ...]) -> None:
    """Check every event against the types of a strict channel; raises `Invalid` (contract section 7)."""
    if channel.is_strict:
        types = broker.known_types.of(channel)
        for draft in drafts:
            types.check(draft.type, draft.data)


async def take_rates(broker: Broker, submission: Submission) -> None:
    """Count a publish against the limits of its token and its channel; raises `TooMany` (reliability.md F)."""
    limits, rates, events = broker.rate_limits, broker.rates, len(submission.drafts)
    await limits.take("events-per-token", submission.grant.principal, rates.events_per_token, cost=events)
    await limits.take("events-per-channel", submission.channel.id, rates.events_per_channel, cost=events)


async def publish_in_order(broker: Broker, submissions: Sequence[Submission]) -> list[Published | Refusal]:
    """Append each submission whole or not at all, in this order, in as few calls as may be; an outcome for each.

    Submissions to one channel come with the same record of it, or their order is not kept where it is an old one.
    """
    run = _Run(submissions)
    for _ in range(DECISIONS):
        left = run.left()
        if not left:
            break
        for place, outcome in zip(left, await _append_all(broker, [run.submissions[i] for i in left]), strict=True):
            run.outcomes[place] = outcome
        await run.refresh(broker)
    return [outcome or _undecided() for outcome in run.outcomes]


async def publish_one(broker: Broker, submission: Submission) -> Published:
    """Append one submission whole; raises why not. What was decided on an old record is decided again."""
    outcome = await _append(broker, submission)
    if outcome is None or isinstance(outcome, Invalid):
        outcome = (await publish_in_order(broker, [submission]))[0]
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def published_frames(published: Published) -> list[Frame]:
    """The events in their wire form."""
    pairs = zip(published.positions, published.stored, strict=True)
    return frames_at(published.channel.tag_letters, [(place, each.type_json, each.tail) for place, each in pairs])


async def _append_all(broker: Broker, submissions: list[Submission]) -> list[Published | Refusal | None]:
    if len(submissions) == 1:
        return [await _append(broker, submissions[0])]
    # The tasks begin in this order, and each has handed its events over before the next begins.
    return await asyncio.gather(*(_append(broker, each) for each in submissions))


async def _append(broker: Broker, submission: Submission) -> Published | Refusal | None:
    channel, drafts, grant = submission.channel, submission.drafts, submission.grant
    try:
        check_types(broker, channel, drafts)
        stored = [store(draft, channel.id, grant.subject, grant.name) for draft in drafts]
        appended = await broker.log.append(channel, stored, submission.key)
    except (Stale, NotFound):
        # Changed, or deleted and perhaps created again, since the record was cached.
        return None
    except Refusal as refusal:
        return refusal
    return Published(channel, stored, appended.positions, appended.replayed)


class _Run:
    """Submissions and their outcomes so far: None while undecided, as the channel's record was an old one."""

    def __init__(self, submissions: Sequence[Submission]) -> None:
        self.submissions = list(submissions)
        self.outcomes: list[Published | Refusal | None] = [None] * len(submissions)

    def left(self) -> list[int]:
        """The places of those that are undecided."""
        return [place for place, outcome in enumerate(self.outcomes) if outcome is None]

    async def refresh(self, broker: Broker) -> None:
        """Give those that were decided on an old record the channel of now; a channel that is gone decides them."""
        for channel_id in {self.submissions[place].channel.id for place in self._doubtful()}:
            try:
                channel = await broker.channels.refresh(channel_id)
            except Refusal as refusal:
                self._decide(channel_id, refusal)
            else:
                self._renew(channel)

    def _doubtful(self) -> list[int]:
        """Undecided, or refused for what it is, with nothing of the channel stored behind it: the record may be old."""
        stored: set[str] = set()
        doubtful = []
        for place in reversed(range(len(self.outcomes))):
            outcome, channel_id = self.outcomes[place], self.submissions[place].channel.id
            if isinstance(outcome, Published):
                stored.add(channel_id)
            elif outcome is None or (isinstance(outcome, Invalid) and channel_id not in stored):
                doubtful.append(place)
        return doubtful

    def _decide(self, channel_id: str, refusal: Refusal) -> None:
        for place in self.left():
            if self.submissions[place].channel.id == channel_id:
                self.outcomes[place] = refusal

    def _renew(self, channel: ChannelRecord) -> None:
        for place in self._doubtful():
            known = self.submissions[place].channel
            if known.id == channel.id and (known.tag, known.version) != (channel.tag, channel.version):
                self.outcomes[place] = None
                self.submissions[place] = self.submissions[place]._replace(channel=channel)


def _undecided() -> Refusal:
    return Unavailable("The channel is being changed by others", retry_after_s=1)


def _render_publish(publish: Publish) -> bytes:
    """One text for each publish; a line an event, as JSON has no raw line ends."""
    lines = [b"batch" if publish.batch else b"single"]
    if publish.publish_at_ms is not None:
        lines[0] += b" at %d" % publish.publish_at_ms
    for draft in publish.drafts:
        reply_to = None if draft.reply_to is None else list(draft.reply_to)
        lines.append(render_json([draft.type, draft.meta, reply_to]) + draft.data_json)
    return b"\n".join(lines)
