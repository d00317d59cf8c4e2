"""Idempotency-Key on writes: the first answer again, and nothing done twice (design section 6).

A key counts for its principal, method and path, for 24 hours; who has no credential has no principal, and the header is
ignored. The answer is kept in the very step that does what it answers for. Refusals are kept too, but for those that
may be other ones later (429, 5xx). An answer that shows a secret is kept sealed, for ten minutes.
"""

from starlette.requests import Request
from starlette.responses import Response

from broker.idempotency import IdempotencyKey, Kept, make_key
from broker.scopes import Grant
from handlers.broker import broker_of

KEY_HEADER = "idempotency-key"
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


def kept_answer(kept: Kept, *, is_replayed: bool) -> Response:
    """The JSON answer that was kept, or is now."""
    headers = {REPLAYED: "true"} if is_replayed else {}
    if kept.channel_id is not None and kept.cursor is not None:
        headers |= {"Tidemark-Channel": kept.channel_id, "Tidemark-Cursor": kept.cursor}
    media_type = "application/json" if kept.body else None
    return Response(kept.body or b"", kept.status, headers, media_type=media_type)
