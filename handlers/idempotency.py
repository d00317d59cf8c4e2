"""Idempotency-Key on writes: the first answer again, and nothing done twice (design section 6).

A key counts for its principal, method and path, for 24 hours; who has no credential has no principal, and the header is
ignored. The answer is kept in the very step that does what it answers for. Refusals are kept too, but for those that
may be other ones later (429, 5xx). An answer that shows a secret is kept sealed, for ten minutes.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.change import Answer
from broker.errors import Refusal
from broker.idempotency import IdempotencyKey, Kept, is_kept, make_key
from broker.scopes import Grant
from broker.storage.answers import Answers
from broker.storage.commit import Committed
from broker.storage.scripts import Answered, Keep
from broker.storage.state import Tail
from broker.strictjson import render_json
from handlers.broker import Broker, broker_of
from handlers.envelopes import render_plain
from handlers.operations import Parameter
from handlers.responses import PRIVATE

KEY_HEADER = "idempotency-key"
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key", "Makes a retry safe for 24 hours.", {"type": "string", "maxLength": 128}, "header"
)
REPLAYED = "Idempotency-Replayed"


def key_of(request: Request, grant: Grant | None, body: bytes) -> IdempotencyKey | None:
    """The Idempotency-Key of a write, None where there is none or nobody whose it is; raises `Invalid`.

    `body` is one text for each body that asks for the same.
    """
    if grant is None:
        return None
    return make_key(
        request.headers.get(KEY_HEADER),
        broker_of(request).limits.idempotency_key_chars,
        principal=grant.principal,
        method=request.method,
        path=request.scope["path"],
        body=body,
    )


class Keeping:
    """Gives the answer to the storage call that does what it answers for, where there is a key to keep it for."""

    def __init__(self, answers: Answers, partition: int, key: IdempotencyKey | None) -> None:
        self._answers = answers
        self._partition = partition
        self._key = key
        self._given: list[Keep] = []

    def of(self, answer: Answer) -> Keep | None:
        """What to give as `keep`."""
        if self._key is None:
            return None
        keep = self._answers.keep(self._partition, self._key, answer)
        self._given.append(keep)
        return keep

    @property
    def is_kept(self) -> bool:
        """Whether a storage call kept what it was given."""
        return any(keep.is_kept for keep in self._given)


Act = Callable[[Keeping], Awaitable[Answer]]


async def once(
    request: Request,
    grant: Grant | None,
    body: Any,
    partition: int,
    act: Act,
    *,
    is_claimed: bool = False,
    refuse: Callable[[Refusal], Answer] | None = None,
) -> Response:
    """Do what is asked and answer it; where its Idempotency-Key was answered before, answer that and do nothing.

    `body` is the JSON that was sent. `partition` is where what it is about lives; where only the body says so,
    `is_claimed` binds the key to it first. `act` does it, and answers what it gave to the `Keeping`, or what is to be
    kept afterwards because it wrote nothing. A refusal is kept as `refuse` renders it, without in the envelope of the
    channels API. Raises what `act` raises, and what `Answers.find` does.
    """
    broker, key = broker_of(request), key_of(request, grant, render_json(body))
    if key is None:
        return _response(await act(Keeping(broker.answers, partition, None)))
    if is_claimed:
        await broker.answers.claim(key)
    try:
        return await _once(broker, partition, key, act, refuse or refused)
    except Answered:
        # Somebody else was faster with this key.
        kept = await broker.answers.find(partition, key)
        assert kept is not None  # noqa: S101 - it was kept this moment
        return kept_answer(kept, is_replayed=True)


async def _once(
    broker: Broker, partition: int, key: IdempotencyKey, act: Act, refuse: Callable[[Refusal], Answer]
) -> Response:
    kept = await broker.answers.find(partition, key)
    if kept is not None:
        return kept_answer(kept, is_replayed=True)
    keeping = Keeping(broker.answers, partition, key)
    try:
        answer = await act(keeping)
    except Refusal as refusal:
        if is_kept(refusal.status):
            await broker.answers.put(partition, key, refuse(refusal))
        raise
    if not keeping.is_kept:
        await broker.answers.put(partition, key, answer)
    return _response(answer)


def refused(refusal: Refusal) -> Answer:
    """A refusal in the envelope of the channels API, to be kept."""
    status, body = render_plain(refusal.status, refusal.message, refusal.extra)
    return Answer(status, render_json(body))


def json_kept(value: Any, status: int = 200, *, is_secret: bool = False) -> Answer:
    """A JSON answer, to be kept."""
    return Answer(status, render_json(value), is_secret=is_secret)


DONE = Answer(204, b"")


def _response(answer: Answer) -> Response:
    return kept_answer(Kept("", answer.status, answer.body), is_replayed=False)


def tail_headers(tail: Tail) -> dict[str, str]:
    """The headers of every answer about a resource: the log that tells of it, and where to go on from this state."""
    return {"Tidemark-Channel": tail.channel_id, "Tidemark-Cursor": tail.cursor}


def state_answer(value: Any, tail: Tail | None) -> Response:
    """The JSON answer to a read, with where to go on from it."""
    place = (None, None) if tail is None else (tail.channel_id, tail.cursor)
    return kept_answer(Kept("", 200, render_json(value), *place), is_replayed=False)


def committed_answer(committed: Committed) -> Response:
    """The answer of a Change that has one, or the one that was kept for its Idempotency-Key."""
    assert committed.answer is not None  # noqa: S101 - a Change with an answer has one
    return kept_answer(committed.answer, is_replayed=committed.is_replayed)


def kept_answer(kept: Kept, *, is_replayed: bool) -> Response:
    """The JSON answer that was kept, or is now."""
    headers = {"Cache-Control": PRIVATE} | ({REPLAYED: "true"} if is_replayed else {})
    if kept.channel_id is not None and kept.cursor is not None:
        headers |= tail_headers(Tail(kept.channel_id, kept.cursor))
    media_type = "application/json" if kept.body else None
    return Response(kept.body or b"", kept.status, headers, media_type=media_type)
