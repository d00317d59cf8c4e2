"""Why subscriptions end, and from where their readers resume. Pure."""

from typing import NamedTuple


class CloseReason(NamedTuple):
    """Why a subscription ends: a close code of `docs/close-codes.md`, and a word for it."""

    code: int
    reason: str


DELETED = CloseReason(1000, "channel deleted")
DEFECT = CloseReason(1011, "internal error")
RESTART = CloseReason(1012, "restart")
NOT_VOUCHED = CloseReason(1013, "try again later")
TOKEN_EXPIRED = CloseReason(4401, "token expired")
FORBIDDEN = CloseReason(4403, "forbidden")
LAGGING = CloseReason(4408, "lagging")
CURSOR_EXPIRED = CloseReason(4410, "cursor expired")


class Closed(Exception):
    """The subscription ended; `cursor` is where to resume (None where resuming makes no sense).

    With `CURSOR_EXPIRED` that is the first place from which nothing is missing.
    """

    def __init__(self, reason: CloseReason, cursor: str | None) -> None:
        super().__init__(reason.reason)
        self.code = reason.code
        self.reason = reason.reason
        self.cursor = cursor
