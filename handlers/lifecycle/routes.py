"""The calls of the lifecycle API (contract section 1): a company's key, a list of arguments, a list of events.

What a call does is one commit: the events, the channel events that tell of them, and the answer to an Idempotency-Key.
"""

import uuid
from collections.abc import Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from broker.change import DocumentKey
from broker.errors import Invalid
from broker.storage.commit import Decide
from handlers.auth import Tenancy, read_as_tenant
from handlers.broker import broker_of
from handlers.committing import answer_by_commit
from handlers.idempotency import state_answer
from handlers.lifecycle import decisions
from handlers.lifecycle.documents import KIND, open_index
from handlers.lifecycle.documents import key_of as document_of
from handlers.lifecycle.events import team_of
from handlers.lifecycle.machine import Command
from handlers.lifecycle.wire import parse_create, parse_queries, render_events

API = "lifecycle"
JSON = "application/json"


async def create_events(request: Request) -> Response:
    """Create events, all or none. An id may be chosen: whoever sends the same again gets the event as it is now."""
    caller, body = await _read(request)
    plans = parse_create(body, _fresh_id)
    drafts = [decisions.Draft(plan, _fresh_id(), _fresh_id()) for plan in plans]
    keys = [document_of(caller.tenant, plan.id) for plan in plans]
    broker = broker_of(request)
    page = await broker.reader.page(broker.engine.partition(caller.tenant), KIND, open_index(caller.tenant), limit=1)
    decide = partial(decisions.creating, caller.tenant, drafts, page.total)
    return await _execute(request, caller, body, keys, decide)


async def start_events(request: Request) -> Response:
    """Start events that are pending, all or none. One that is started already stays as it is."""
    return await _move(request, Command.START)


async def finish_events(request: Request) -> Response:
    """Finish events that are started, all or none. One that is finished already stays as it is."""
    return await _move(request, Command.FINISH)


async def cancel_events(request: Request) -> Response:
    """Cancel events that are pending or started, all or none. One that is canceled already stays as it is."""
    return await _move(request, Command.CANCEL)


async def select_events(request: Request) -> Response:
    """Read events. `Tidemark-Channel` and `Tidemark-Cursor` say from where to follow what happens to them next."""
    caller, body = await _read(request)
    named, broker = parse_queries(body), broker_of(request)
    team = await broker.channels.ensure(team_of(caller.tenant))
    keys = [document_of(caller.tenant, each.id) for each in named]
    loaded = (await broker.reader.read(team.partition, keys, logs=(team,))).loaded
    return state_answer(render_events(decisions.selected(caller.tenant, named, loaded)), loaded.tail)


async def _read(request: Request) -> tuple[Tenancy, object]:
    caller, body = await read_as_tenant(request, API)
    declared = request.headers.get("content-type")
    if declared is not None and declared.partition(";")[0].strip().lower() != JSON:
        raise Invalid(f"The content-type must be {JSON}")
    return caller, body


async def _move(request: Request, command: Command) -> Response:
    caller, body = await _read(request)
    named = parse_queries(body)
    keys = [document_of(caller.tenant, each.id) for each in named]
    return await _execute(request, caller, body, keys, partial(decisions.moving, caller.tenant, command, named))


async def _execute(
    request: Request, caller: Tenancy, body: object, keys: Sequence[DocumentKey], decide: Decide
) -> Response:
    logs = (team_of(caller.tenant),)
    return await answer_by_commit(request, caller.tenant, caller.grant, body, keys, decide, logs=logs)


def _fresh_id() -> str:
    return str(uuid.uuid4())
