"""What organisers do: create, change, delete, rehearse, go live, stop, new keys and tokens (contract section 1).

What a call does is one commit: the event, the channel events that tell of it, its timer, and the answer to an
Idempotency-Key. Two calls that meet are decided one after the other, so that one of them finds the state of the other.
"""

import asyncio
import secrets
import uuid
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from broker.errors import Conflict, Forbidden, TooMany
from broker.idempotency import IdempotencyKey
from broker.storage.commit import Decide
from broker.strictjson import render_json
from handlers.auth import Tenancy
from handlers.broker import Broker, broker_of
from handlers.committing import answer_by_commit
from handlers.idempotency import kept_answer, key_of
from handlers.live import credentials, decisions, slugs
from handlers.live.callers import read_body, tenancy
from handlers.live.documents import EVENT, MOST_TOKENS, TOKEN, WatchToken, event_key, events_index, tokens_index
from handlers.live.events import team_channel, watch_channel
from handlers.live.live_event import LiveEvent, StreamKey
from handlers.live.machine import Command
from handlers.live.models import CreateTaken, PatchTaken, TokenTaken
from handlers.live.passwords import SALT_BYTES, hash_password
from handlers.live.settings import pace_of
from handlers.live.wire import SUFFIX_CHARS, check_settings, parse, settings_of, slug_from

SLUG_ATTEMPTS = 5


async def create_live_event(request: Request) -> Response:
    """Create an event, ready or scheduled. The stream key is shown in this answer only; a retry with the same
    Idempotency-Key shows it again for ten minutes."""
    broker, (caller, body) = broker_of(request), await read_body(request)
    taken = parse(CreateTaken, body)
    settings = settings_of(taken)
    check_settings(settings, None, has_password=taken.password is not None)
    key, partition = key_of(request, caller.grant, render_json(body)), broker.engine.partition(caller.tenant)
    if key is not None and (kept := await broker.answers.find(partition, key)) is not None:
        return kept_answer(kept, is_replayed=True)
    limits = broker.live
    if settings.setdefault("max_bitrate_kbps", limits.max_bitrate_kbps) > limits.max_bitrate_kbps:
        raise Forbidden(f"max_bitrate_kbps: {limits.max_bitrate_kbps} is the most of this plan", code="PLAN_LIMIT")
    page = await broker.reader.page(partition, EVENT, events_index(caller.tenant), limit=1)
    if page.total >= limits.events_per_tenant:
        raise Forbidden(f"{limits.events_per_tenant} events are the most of this plan", code="PLAN_LIMIT")
    settings.setdefault("retention_days", limits.retention_days)
    text, stream_key = _fresh_key(partition)
    password_hash = None if taken.password is None else await hashed(broker, taken.password)
    slug, event_id = await _claimed(broker, caller.tenant, taken, key)
    event = LiveEvent(
        event_id,
        caller.tenant,
        slug,
        key=stream_key,
        created_ms=0,
        updated_ms=0,
        password_hash=password_hash,
        **settings,
    )
    decide = partial(decisions.creating, event, text, pace_of(broker.live))
    return await _execute(request, caller, body, event_id, decide, slug=slug)


async def update_live_event(request: Request) -> Response:
    """Change an event that has not begun. What cannot be changed is refused, and nothing is changed."""
    broker, (caller, body) = broker_of(request), await read_body(request)
    taken = parse(PatchTaken, body)
    settings, event_id = settings_of(taken), event_id_of(request)
    password_hash = None if taken.password is None else await hashed(broker, taken.password)
    pace = pace_of(broker.live)
    decide = partial(decisions.updating, caller.tenant, event_id, settings, password_hash, pace)
    return await _execute(request, caller, body, event_id, decide)


async def delete_live_event(request: Request) -> Response:
    """Delete an event that is not live or being wound up. Its slug is free at once; it is purged after 30 days."""
    broker, caller, event_id = broker_of(request), tenancy(request), event_id_of(request)
    decide = partial(decisions.deleting, caller.tenant, event_id, pace_of(broker.live))
    slug = await _slug_of(broker, caller.tenant, event_id)
    response = await _execute(request, caller, None, event_id, decide)
    # The timer of the commit does it too, should this process not get to it.
    if slug is not None:
        await slugs.release(broker, slug, event_id)
    return response


async def start_rehearsal(request: Request) -> Response:
    """Start the rehearsal of an event that is ready: the encoder may stream, and viewers see that it is rehearsed."""
    return await _move(request, Command.REHEARSE)


async def start_live(request: Request) -> Response:
    """Go live: a session opens, and its recording where that is enabled. A second call is 409."""
    return await _move(request, Command.START)


async def stop_live(request: Request) -> Response:
    """Stop, also a rehearsal: the encoder is cut, the session ends, the recording is made whole."""
    return await _move(request, Command.STOP)


async def rotate_stream_key(request: Request) -> Response:
    """Give a new stream key, shown in this answer only; the old one is refused before this answer is sent."""
    broker, caller, event_id = broker_of(request), tenancy(request), event_id_of(request)
    text, stream_key = _fresh_key(broker.engine.partition(caller.tenant))
    decide = partial(decisions.rotating, caller.tenant, event_id, text, stream_key, pace_of(broker.live))
    return await _execute(request, caller, None, event_id, decide)


async def create_watch_token(request: Request) -> Response:
    """Make a watch token, shown in this answer only. Its uses are playbacks that started, not forms that were sent."""
    broker, (caller, body) = broker_of(request), await read_body(request)
    taken, event_id = parse(TokenTaken, body), event_id_of(request)
    partition = broker.engine.partition(caller.tenant)
    page = await broker.reader.page(partition, TOKEN, tokens_index(event_id), limit=1)
    if page.total >= MOST_TOKENS:
        raise TooMany(f"An event has at most {MOST_TOKENS} tokens", retry_after_s=60)
    text = credentials.make_token(secrets.token_bytes(credentials.TOKEN_BYTES))
    token = WatchToken(
        id=str(uuid.uuid4()),
        event_id=event_id,
        digest=credentials.digest_of(text),
        prefix=text[: credentials.SHOWN_CHARS],
        label=taken.label,
        max_uses=taken.max_uses,
        expires_ms=taken.expires_at,
        created_ms=0,
    )
    return await _execute(request, caller, body, event_id, partial(decisions.minting, caller.tenant, token, text))


async def hashed(broker: Broker, password: str) -> str:
    """What is kept of a password; not on the event loop, and few at a time."""
    async with broker.hashing:
        return await asyncio.to_thread(hash_password, password, secrets.token_bytes(SALT_BYTES))


def event_id_of(request: Request) -> str:
    """The event that the path names, as ids are spelled."""
    event_id: str = request.path_params["live_event_id"]
    return event_id.lower()


async def _move(request: Request, command: Command) -> Response:
    caller, event_id, ids = tenancy(request), event_id_of(request), (str(uuid.uuid4()), str(uuid.uuid4()))
    decide = partial(decisions.moving, caller.tenant, event_id, command, ids, pace_of(broker_of(request).live))
    return await _execute(request, caller, None, event_id, decide)


async def _claimed(broker: Broker, tenant: str, taken: CreateTaken, key: IdempotencyKey | None) -> tuple[str, str]:
    """The slug that is claimed, and the id of the event that it is claimed for."""
    fresh, by = str(uuid.uuid4()), None if key is None else credentials.digest_of(key.row)
    if taken.slug is not None:
        return taken.slug, await slugs.claim(broker, taken.slug, tenant, fresh, by)
    plain = slug_from(taken.name, "")
    suffixed = (slug_from(taken.name, secrets.token_hex(SUFFIX_CHARS // 2)) for _ in range(SLUG_ATTEMPTS))
    for slug in (*([plain] if plain else []), *suffixed):
        try:
            return slug, await slugs.claim(broker, slug, tenant, fresh, by)
        except Conflict:
            continue
    raise Conflict("No free slug was found: send one", code="SLUG_TAKEN")


async def _slug_of(broker: Broker, tenant: str, event_id: str) -> str | None:
    key = event_key(tenant, event_id)
    loaded = (await broker.reader.read(broker.engine.partition(tenant), [key])).loaded
    kept = decisions.kept_event(loaded, tenant, event_id)
    return None if kept is None or kept.event.deleted_ms is not None else kept.event.slug


async def _execute(
    request: Request, caller: Tenancy, body: object, event_id: str, decide: Decide, *, slug: str | None = None
) -> Response:
    known = slug or await _slug_of(broker_of(request), caller.tenant, event_id)
    logs = [team_channel(caller.tenant), *([watch_channel(known)] if known else [])]
    keys = [event_key(caller.tenant, event_id)]
    return await answer_by_commit(request, caller.tenant, caller.grant, body, keys, decide, logs=logs)


def _fresh_key(partition: int) -> tuple[str, StreamKey]:
    key, stream = secrets.token_bytes(credentials.KEY_BYTES), secrets.token_bytes(credentials.STREAM_BYTES)
    return credentials.make_stream_key(partition, key, stream)
