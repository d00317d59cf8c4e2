"""Scheduled publishes: accepted with 202, and published by a timer when their time has come.

When it fires, channel, schema and key are checked again: a channel that was deleted, types that no longer fit, or a
trusted key that was removed make it fail, and `GET .../scheduled/{id}` says so.
"""

import secrets
from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from broker.change import Answer, Change, Delete, Emitted
from broker.channels import ChannelRecord
from broker.errors import NotFound, Refusal, TooMany
from broker.events import Publish, parse_publish, store
from broker.idempotency import IdempotencyKey
from broker.ids import render_time
from broker.scheduled import (
    ID_BITS,
    KIND,
    Scheduled,
    check_time,
    ended,
    fresh_id,
    index_of,
    key_of,
    parse_stored,
    scheduling,
)
from broker.scopes import Grant
from broker.storage.appender import Idempotency
from broker.storage.channels import NO_CHANNEL
from broker.storage.state import Loaded
from broker.strictjson import render_json
from broker.timers import Claimed
from handlers.broker import Broker
from handlers.channels.publishing import check_types
from handlers.idempotency import KEY_HEADER, committed_answer, kept_answer

NO_LONGER_TRUSTED = "The key of its publisher is no longer trusted, or no longer publishes here"
KEPT_REFUSALS = (400, 413)

ChangeOf = Callable[[Loaded, Scheduled, int], Change]


async def schedule(
    broker: Broker,
    request: Request,
    channel: ChannelRecord,
    grant: Grant,
    publish: Publish,
    body: bytes,
    idempotency: Idempotency | None,
) -> Response:
    """Have a publish wait for its `publish_at`; 202 with its id. Raises what a publish does, and `TooMany`."""
    key = _key_of(channel, idempotency, request.headers.get(KEY_HEADER, ""))
    # Before anything is checked that may be otherwise by now: a retry is answered as the first call was.
    kept = await broker.answers.find(channel.partition, key) if key else None
    if kept is not None:
        return kept_answer(kept, is_replayed=True)
    scheduled = await _checked(broker, channel, grant, publish, body)
    shown = {"scheduled": {"id": scheduled.id, "publish_at": render_time(scheduled.publish_at_ms)}}
    answer = Answer(202, render_json(shown))

    def decide(loaded: Loaded) -> Change:
        if loaded.records[channel.id].tag != channel.tag:
            raise NotFound(NO_CHANNEL)
        change = scheduling(scheduled)
        return Change(change.documents, timers=change.timers, answer=answer)

    committed = await broker.commits.execute(channel.id, [], decide, logs=(channel.id,), key=key)
    return committed_answer(committed)


async def _checked(broker: Broker, channel: ChannelRecord, grant: Grant, publish: Publish, body: bytes) -> Scheduled:
    check_types(broker, channel, publish.drafts)
    assert publish.publish_at_ms is not None  # noqa: S101 - it is what brought us here
    now_ms, random_bits = await broker.engine.now_ms(), secrets.randbits(ID_BITS)
    check_time(publish.publish_at_ms, now_ms)
    waiting = await broker.reader.page(channel.partition, KIND, index_of(channel), limit=1)
    if waiting.total >= broker.limits.scheduled_per_channel:
        raise TooMany("As many publishes wait on this channel as may", retry_after_s=60)
    return Scheduled(
        id=fresh_id(now_ms, random_bits),
        channel_id=channel.id,
        tag_letters=channel.tag_letters,
        publish_at_ms=publish.publish_at_ms,
        created_ms=now_ms,
        body=body.decode(),
        event_count=len(publish.drafts),
        grant=grant,
    )


async def publish_scheduled(broker: Broker, claimed: Claimed) -> None:
    """What the timer of a scheduled publish does: publish it, or note why it cannot be."""
    name = claimed.timer.name
    # A key that another process removed a moment ago does not publish.
    await broker.trust.look()
    try:
        await _fire(broker, claimed, (name.owner,), partial(_publishing, broker))
    except NotFound:
        await _fire(broker, claimed, (), _forgetting)
    except Refusal as refusal:
        if refusal.status not in KEPT_REFUSALS:
            raise
        await _fire(broker, claimed, (), partial(_failing, refusal.message))


async def _fire(broker: Broker, claimed: Claimed, logs: tuple[str, ...], change_of: ChangeOf) -> None:
    key = key_of(claimed.timer.name.subject)

    def decide(loaded: Loaded) -> Change:
        document = loaded.documents[key]
        scheduled = parse_stored(document.body) if document else None
        if document is None or scheduled is None or scheduled.status != "scheduled":
            return Change()
        return change_of(loaded, scheduled, document.version)

    await broker.commits.execute(claimed.timer.name.owner, [key], decide, logs=logs, claimed=claimed)


def _publishing(broker: Broker, loaded: Loaded, scheduled: Scheduled, version: int) -> Change:
    channel, grant = loaded.records[scheduled.channel_id], scheduled.grant
    if channel.tag_letters != scheduled.tag_letters:
        return _forgetting(loaded, scheduled, version)
    if not broker.verifier.is_trusted(grant) or not grant.may_publish(channel.id):
        return _failing(NO_LONGER_TRUSTED, loaded, scheduled, version)
    drafts = parse_publish(scheduled.body.encode(), broker.event_limits).drafts
    check_types(broker, channel, drafts)
    events = tuple(Emitted(channel.id, store(draft, channel.id, grant.subject, grant.name)) for draft in drafts)
    return Change((ended(scheduled, version, loaded.now_ms),), events)


def _forgetting(_: Loaded, scheduled: Scheduled, version: int) -> Change:
    return Change((Delete(key_of(scheduled.subject), version),))


def _failing(error: str, loaded: Loaded, scheduled: Scheduled, version: int) -> Change:
    return Change((ended(scheduled, version, loaded.now_ms, error),))


def _key_of(channel: ChannelRecord, idempotency: Idempotency | None, text: str) -> IdempotencyKey | None:
    """The key under which a publish to this channel would be remembered: one key is for one of the two."""
    if idempotency is None:
        return None
    return IdempotencyKey(f"{channel.tag_letters}:{idempotency.key}", idempotency.body, text)
