"""What the calls of cuey have in common: reading, and executing a decision as the answer to a request."""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.change import DocumentKey
from broker.errors import NotFound
from broker.storage.commit import Decide
from broker.storage.state import Loaded, Page
from handlers.auth import Tenancy
from handlers.broker import broker_of
from handlers.committing import answer_by_commit
from handlers.cuey.events import team_of
from handlers.cuey.listing import MOST_PAGE_BYTES, Asked
from handlers.cuey.wire import parse_id
from handlers.idempotency import state_answer

API = "cuey"


def id_of(request: Request, name: str, message: str) -> str:
    """The id in the path, by the name of its place; raises `NotFound` with this message for what is none."""
    found = parse_id(request.path_params[name])
    if found is None:
        raise NotFound(message, code="NOT_FOUND")
    return found


async def execute(
    request: Request, caller: Tenancy, body: Any, keys: Sequence[DocumentKey], decide: Decide
) -> Response:
    """Commit a decision and answer it, once for each Idempotency-Key."""
    logs = (team_of(caller.tenant),)
    return await answer_by_commit(request, caller.tenant, caller.grant, body, keys, decide, logs=logs)


async def read_one(request: Request, tenant: str, key: DocumentKey, render: Callable[[Loaded], Any]) -> Response:
    """A document as it is rendered, with where to go on from it. Raises what `render` does."""
    broker = broker_of(request)
    team = await broker.channels.ensure(team_of(tenant))
    loaded = (await broker.reader.read(team.partition, [key], logs=(team,))).loaded
    return state_answer(render(loaded), loaded.tail)


async def read_page(
    request: Request, tenant: str, place: tuple[str, str], asked: Asked, render: Callable[[Page], Any]
) -> Response:
    """A page of documents of a kind by an index, the highest first. Raises `TooLarge`, and what `render` does."""
    broker = broker_of(request)
    team = await broker.channels.ensure(team_of(tenant))
    page = await broker.reader.page(
        team.partition,
        *place,
        skip=asked.skip,
        limit=asked.limit,
        is_descending=True,
        log=team,
        most_bytes=MOST_PAGE_BYTES,
    )
    return state_answer(render(page), page.tail)
