"""What the calls of cuey have in common: reading, and executing a decision as the answer to a request."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from broker.change import Answer, DocumentKey
from broker.errors import NotFound, Refusal
from broker.idempotency import Kept
from broker.storage.commit import Decide
from broker.storage.state import Loaded, Page, Tail
from broker.strictjson import render_json
from handlers.auth import Tenancy, require_tenant
from handlers.broker import broker_of
from handlers.cuey.errors import render_error
from handlers.cuey.events import team_of
from handlers.cuey.listing import MOST_PAGE_BYTES, Asked
from handlers.cuey.wire import parse_id
from handlers.idempotency import kept_answer, key_of
from handlers.requests import read_json

API = "cuey"

T = TypeVar("T")


def id_of(request: Request, name: str, message: str) -> str:
    """The id in the path, by the name of its place; raises `NotFound` with this message for what is none."""
    found = parse_id(request.path_params[name])
    if found is None:
        raise NotFound(message, code="NOT_FOUND")
    return found


async def asked_or_refusal(request: Request, parse: Callable[[Any], T]) -> tuple[Tenancy, Any, T | Refusal]:
    """The tenant, the body, and what it asks for, or why it asks for nothing: what is not there comes before that.

    The key is checked again after the body was read. Raises `Unauthorized`, `Forbidden`.
    """
    body: Any = None
    try:
        body = await read_json(request)
        asked: T | Refusal = parse(body)
    except Refusal as refusal:
        asked = refusal
    return require_tenant(request, API), body, asked


async def execute(
    request: Request, caller: Tenancy, body: Any, keys: Sequence[DocumentKey], decide: Decide
) -> Response:
    """Commit a decision and answer it, once for each Idempotency-Key."""
    committed = await broker_of(request).commits.execute(
        caller.tenant,
        keys,
        decide,
        logs=(team_of(caller.tenant),),
        key=key_of(request, caller.grant, render_json(body)),
        refuse=_refused,
    )
    assert committed.answer is not None  # noqa: S101 - a Change with an answer has one
    return kept_answer(committed.answer, is_replayed=committed.is_replayed)


async def read_one(request: Request, tenant: str, key: DocumentKey, render: Callable[[Loaded], Any]) -> Response:
    """A document as it is rendered, with where to go on from it. Raises what `render` does."""
    broker = broker_of(request)
    team = await broker.channels.ensure(team_of(tenant))
    loaded = (await broker.reader.read(team.partition, [key], logs=(team,))).loaded
    return _answer(render(loaded), loaded.tail)


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
    return _answer(render(page), page.tail)


def _answer(shown: Any, tail: Tail | None) -> Response:
    place = (tail.channel_id, tail.cursor) if tail else (None, None)
    return kept_answer(Kept("", 200, render_json(shown), *place), is_replayed=False)


def _refused(refusal: Refusal) -> Answer:
    status, body = render_error(refusal.status, refusal.message, refusal.extra)
    return Answer(status, render_json(body))
