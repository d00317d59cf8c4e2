"""`/channels/{c}/scheduled`: the publishes that wait, for who may publish there: one's own, or all for an admin."""

from starlette.requests import Request
from starlette.responses import Response

from broker.change import Answer, Change, Delete
from broker.channels import ChannelRecord
from broker.errors import Conflict, Forbidden, NotFound
from broker.scheduled import KIND, Scheduled, index_of, key_of, parse_stored, render_scheduled, subject_of, timer_of
from broker.scopes import Grant
from broker.storage.state import Loaded
from handlers.auth import NO_RIGHT, require_publish
from handlers.broker import Broker, broker_of
from handlers.idempotency import DONE, Keeping, committed_answer, once, refused
from handlers.idempotency import key_of as idempotency_of
from handlers.responses import json_answer

NO_SCHEDULED = "Scheduled publish not found"
TAKEN_BACK_AT_ONCE = 200
"""Each is a document and a timer; a Change does at most 500 things."""

IS_OVER = "It was published, or failed, and can no longer be taken back"


async def list_scheduled(request: Request) -> Response:
    """Those that wait, the next one first."""
    broker, (grant, channel) = broker_of(request), await _publisher(request)
    return json_answer({"scheduled": [render_scheduled(each) for each in await _waiting(broker, channel, grant)]})


async def get_scheduled(request: Request) -> Response:
    """One of them; what became of it is shown for a week."""
    broker, (grant, channel) = broker_of(request), await _publisher(request)
    key = key_of(subject_of(channel, request.path_params["scheduled_id"]))
    document = (await broker.reader.read(channel.partition, [key])).loaded.documents[key]
    return json_answer(render_scheduled(_own(document and document.body, grant)))


async def cancel_scheduled(request: Request) -> Response:
    """Take one back before its time; it is not published then."""
    broker, (grant, channel) = broker_of(request), await _publisher(request)
    key = key_of(subject_of(channel, request.path_params["scheduled_id"]))

    def decide(loaded: Loaded) -> Change:
        document = loaded.documents[key]
        scheduled = _own(document and document.body, grant)
        if document is None or scheduled.status != "scheduled":
            raise Conflict(IS_OVER)
        return Change((Delete(key, document.version),), timers=(timer_of(scheduled).name,), answer=DONE)

    committed = await broker.commits.execute(
        channel.id, [key], decide, key=idempotency_of(request, grant, b""), refuse=refused
    )
    return committed_answer(committed)


async def cancel_all_scheduled(request: Request) -> Response:
    """Take back all that wait: one's own, or everybody's for an admin."""
    broker, (grant, channel) = broker_of(request), await _publisher(request)

    async def act(_: Keeping) -> Answer:
        while waiting := await _waiting(broker, channel, grant):
            keys = [key_of(subject_of(channel, each.id)) for each in waiting[:TAKEN_BACK_AT_ONCE]]
            await broker.commits.execute(channel.id, keys, _taking_back)
        return DONE

    return await once(request, grant, None, channel.partition, act)


def _taking_back(loaded: Loaded) -> Change:
    found = [(key, each) for key, each in loaded.documents.items() if each is not None]
    waiting = [(Delete(key, each.version), parse_stored(each.body)) for key, each in found]
    waiting = [(delete, scheduled) for delete, scheduled in waiting if scheduled.status == "scheduled"]
    return Change(
        tuple(delete for delete, _ in waiting), timers=tuple(timer_of(scheduled).name for _, scheduled in waiting)
    )


async def _waiting(broker: Broker, channel: ChannelRecord, grant: Grant) -> list[Scheduled]:
    most = broker.limits.scheduled_per_channel
    page = await broker.reader.page(channel.partition, KIND, index_of(channel), limit=most)
    found = [parse_stored(document.body) for _, document in page.documents]
    return [each for each in found if _is_own(each, grant)]


async def _publisher(request: Request) -> tuple[Grant, ChannelRecord]:
    return await require_publish(request, request.path_params["channel_id"])


def _own(body: bytes | None, grant: Grant) -> Scheduled:
    scheduled = parse_stored(body) if body else None
    if scheduled is None:
        raise NotFound(NO_SCHEDULED)
    if not _is_own(scheduled, grant):
        raise Forbidden(NO_RIGHT)
    return scheduled


def _is_own(scheduled: Scheduled, grant: Grant) -> bool:
    return grant.is_admin or scheduled.grant.principal == grant.principal
