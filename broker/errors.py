"""Every refusal the engine can give, each with the HTTP status that fits it.

The engine raises; the edge renders in the envelope of its own API (style: h11's status hint).

    Refusal
     ├─ Invalid         400  the input is not of the form that the contract asks for
     ├─ Unauthorized    401  no credential, or one that does not verify
     ├─ Forbidden       403  a good credential without the right
     ├─ NotFound        404
     ├─ Conflict        409  it exists already, or a limit of state is reached
     ├─ CursorExpired   410  events after the cursor were trimmed (only with on_gap=error)
     ├─ TooLarge        413
     ├─ KeyReused       422  the Idempotency-Key came with another body before
     ├─ TooMany         429  with `retry_after_s`
     └─ Unavailable     503  with `retry_after_s`; the outcome of a write may be unknown
"""

from typing import Any, ClassVar


class Refusal(Exception):
    """A refusal with a status and a text for the caller.

    `message` is safe to show. `extra` are further members for the error body, such as `details`.
    `retry_after_s` is for the Retry-After header, None where retrying does not help.
    """

    status: ClassVar[int]

    def __init__(self, message: str, *, retry_after_s: int | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s
        self.extra = extra


class Invalid(Refusal):
    """The input is malformed or out of bounds."""

    status = 400


class Unauthorized(Refusal):
    """There is no credential where one is needed, or it does not verify."""

    status = 401


class Forbidden(Refusal):
    """The credential is good but does not give this right."""

    status = 403


class NotFound(Refusal):
    """There is no such thing, or none that the caller may know of."""

    status = 404


class Conflict(Refusal):
    """The state does not allow it."""

    status = 409


class CursorExpired(Refusal):
    """Events after the cursor were trimmed and the caller asked to be told by an error."""

    status = 410


class TooLarge(Refusal):
    """The body or a part of it is over its limit."""

    status = 413


class KeyReused(Refusal):
    """The Idempotency-Key was used before with another body."""

    status = 422


class TooMany(Refusal):
    """A limit per caller is reached."""

    status = 429


class Unavailable(Refusal):
    """The engine did not answer in time or refuses writes; nothing is half done, retry later."""

    status = 503
