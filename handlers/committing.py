"""A call of a domain: one commit, answered once for each Idempotency-Key, with its refusals in the body of its API."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from broker.change import Answer, DocumentKey
from broker.errors import NotFound, Refusal
from broker.scopes import Grant
from broker.storage.commit import Decide, Logs
from broker.strictjson import render_json
from handlers.broker import broker_of
from handlers.envelopes import error_of
from handlers.idempotency import committed_answer, kept_answer, key_of


async def answer_by_commit(
    request: Request, owner: str, grant: Grant, body: Any, keys: Sequence[DocumentKey], decide: Decide, *, logs: Logs
) -> Response:
    """Commit what `decide` makes of the documents of an owner, and answer what it answers; `body` is the JSON sent.

    Raises what `Commits.execute` does.
    """
    committed = await broker_of(request).commits.execute(
        owner,
        keys,
        decide,
        logs=logs,
        key=key_of(request, grant, render_json(body)),
        refuse=partial(refused_on, request.scope),
    )
    return committed_answer(committed)


async def again_where_gone(
    request: Request, owner: str, grant: Grant, body: Any, attempt: Callable[[], Awaitable[Response]]
) -> Response:
    """What `attempt` answers; where it finds nothing to act on (any more), the answer that its Idempotency-Key had.

    A DELETE whose answer was lost finds nothing when it is sent again.
    """
    try:
        return await attempt()
    except NotFound:
        broker, key = broker_of(request), key_of(request, grant, render_json(body))
        kept = None if key is None else await broker.answers.find(broker.engine.partition(owner), key)
        if kept is None:
            raise
        return kept_answer(kept, is_replayed=True)


def refused_on(scope: Scope, refusal: Refusal) -> Answer:
    """A refusal in the body of the API that was called, to be kept."""
    status, body = error_of(scope, refusal.status, refusal.message, refusal.extra)
    return Answer(status, render_json(body))
