"""`/channels/{c}/webhooks/{w}`: how far its deliveries are, their log, and going on from elsewhere.

For the owner of the endpoint and for admins. `resume` has everything tried now that waits, and ends a pause; `replay`
goes on from a cursor or a time: everything after it is delivered, again where it was delivered before.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from broker import tenants
from broker.change import Answer, Change, Put
from broker.channels import DAY_MS, ChannelRecord
from broker.delivery_log import KIND, VERDICTS, index_of, parse_rows
from broker.endpoints import CHANNEL_FORM, NO_ENDPOINT, Endpoint, render_endpoint
from broker.errors import Forbidden, Invalid, NotFound
from broker.ids import Position
from broker.pages import parse_start
from broker.progress import Progress, parse_progress, render_progress, replayed, resumed, show_progress
from broker.scopes import Grant
from broker.storage.deliveries import name_of
from broker.storage.endpoints import Following
from broker.storage.state import Loaded
from broker.strictjson import render_json
from broker.webhooks import state_of
from handlers.auth import NO_RIGHT, require_token
from handlers.broker import Broker, broker_of
from handlers.channels.webhooks import decided, owner_of
from handlers.idempotency import committed_answer, json_kept, key_of, refused
from handlers.requests import query_number, query_text, read_json
from handlers.responses import json_answer

MAX_ROWS = 100

Move = Callable[[Progress, int], Progress]


class Own(NamedTuple):
    """An endpoint that is the caller's to see and to move."""

    grant: Grant
    channel: ChannelRecord
    following: Following

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint itself."""
        return self.following.endpoint

    @property
    def subject(self) -> str:
        """What its state and its log are named by."""
        return name_of(self.channel, self.endpoint.id).subject


async def get_webhook(request: Request) -> Response:
    """The webhook, and how far its deliveries are."""
    broker, own = broker_of(request), await _own(request)
    key = state_of(own.subject)
    document = (await broker.reader.read(own.channel.partition, [key])).loaded.documents[key]
    progress = parse_progress(document.body) if document else Progress(own.following.cursor)
    return json_answer(_shown(own, progress, own.following.now_ms))


async def list_deliveries(request: Request) -> Response:
    """Attempts to deliver, newest first."""
    verdict, before = query_text(request, "verdict"), query_text(request, "before")
    if verdict is not None and verdict not in VERDICTS:
        raise Invalid(f"verdict must be one of {', '.join(VERDICTS)}")
    limit = query_number(request, "limit", default=50, lowest=1, highest=MAX_ROWS)
    highest = "+inf" if before is None else f"({query_number(request, 'before', default=0, lowest=0, highest=10**9)}"
    broker, own = broker_of(request), await _own(request)
    page = await broker.reader.page(
        own.channel.partition,
        KIND,
        index_of(own.subject, verdict),
        highest=highest,
        limit=limit + 1,
        is_descending=True,
    )
    rows = parse_rows([document for _, document in page.documents])
    more = rows[limit - 1]["number"] if len(rows) > limit else None
    return json_answer({"deliveries": rows[:limit], "before": more})


async def resume_webhook(request: Request) -> Response:
    """Have everything tried now that waits."""
    return await _moved(request, await _own(request), b"", resumed)


async def replay_webhook(request: Request) -> Response:
    """Go on from a cursor or a time."""
    await _own(request)
    body = await read_json(request)
    own = await _own(request)
    position = await _position(broker_of(request), own.channel, body)
    return await _moved(request, own, render_json(body), lambda progress, _: replayed(progress, position))


async def _own(request: Request) -> Own:
    broker, grant = broker_of(request), require_token(request)

    async def look() -> tuple[ChannelRecord, Following | None]:
        channel = await broker.channels.refresh(request.path_params["channel_id"])
        return channel, await broker.endpoints.following(channel, request.path_params["webhook_id"])

    channel, following = await decided(request, look)
    if following is None or following.endpoint.form != CHANNEL_FORM:
        raise NotFound(NO_ENDPOINT)
    if not grant.is_admin and not following.endpoint.owner.is_same(owner_of(grant, channel)):
        raise Forbidden(NO_RIGHT)
    return Own(grant, channel, following)


async def _position(broker: Broker, channel: ChannelRecord, body: Any) -> Position:
    names = ("cursor", "since")
    given = {name: body.get(name) for name in names} if isinstance(body, Mapping) else {}
    told = [value for value in given.values() if value is not None]
    if len(told) != 1 or not isinstance(told[0], str):
        raise Invalid("The body must say from where: a cursor, or since, a time in ISO 8601")
    start = parse_start(channel, given["cursor"], given["since"])
    [meta] = await broker.channels.metas([channel])
    if meta is None or start is None:
        raise NotFound(NO_ENDPOINT)
    return max(channel.start, min(start.position, meta.top))


async def _moved(request: Request, own: Own, body: bytes, move: Move) -> Response:
    broker, key = broker_of(request), state_of(own.subject)

    def decide(loaded: Loaded) -> Change:
        document = loaded.documents[key]
        known = parse_progress(document.body) if document else Progress(own.following.cursor)
        progress = move(known, loaded.now_ms)
        put = Put(key, document.version if document else 0, render_progress(progress), (), _ends_ms(own.endpoint))
        return Change((put,), answer=_answer(own, progress, loaded.now_ms))

    committed = await broker.commits.execute(
        tenants.owner_of(own.channel.id), [key], decide, key=key_of(request, own.grant, body), refuse=refused
    )
    # Also for an answer that is given again: who was killed before this asks again.
    await broker.deliveries.mark(name_of(own.channel, own.endpoint.id))
    return committed_answer(committed)


def _ends_ms(endpoint: Endpoint) -> int:
    return endpoint.expires_ms + DAY_MS


def _answer(own: Own, progress: Progress, now_ms: int) -> Answer:
    return json_kept(_shown(own, progress, now_ms))


def _shown(own: Own, progress: Progress, now_ms: int) -> dict[str, Any]:
    shown = render_endpoint(own.channel.id, own.endpoint)
    return {**shown, "deliveries": show_progress(own.channel, progress, now_ms)}
