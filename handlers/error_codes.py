"""What an error of an API may say of itself: the rows of its table of codes (`docs/reference/errors.md`). Pure.

The tables are the APIs' own (`ERRORS`); a test reads the code for every code that it raises, and compares.
"""

from typing import NamedTuple

from broker.errors import Conflict, Refusal, Unavailable


class ErrorCode(NamedTuple):
    """A code, the HTTP statuses that it comes with, and what it means.

    `within` is the code that this one makes more precise, where the API has two levels.
    """

    code: str
    statuses: tuple[int, ...]
    meaning: str
    within: str = ""


class EngineCode(NamedTuple):
    """A code that the engine itself gives to a refusal; each API spells it in its own body."""

    code: str
    refusal: type[Refusal]
    meaning: str


OF_THE_ENGINE = (
    EngineCode(
        "idempotency_expired",
        Conflict,
        "this Idempotency-Key was answered before, with a secret that is no longer kept; nothing was done now",
    ),
    EngineCode("not_replicated", Unavailable, "the write may be lost, as no replica has it yet (`[engine] ack`)"),
    EngineCode("storage_full", Unavailable, "the engine is out of memory; nothing was done"),
)
"""Those that any API may answer."""
