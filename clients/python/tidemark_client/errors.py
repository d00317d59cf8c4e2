"""Why a call or a reading ended. Each is a `TidemarkError`.

TidemarkError
  Invalid       what the caller gave cannot be asked for
  Refused       an answer that says no: its status and the server's words
  Unreachable   no answer within the patience that was given; whether a write was done is unknown
  GapFound      events after the reader's cursor are no longer kept; reading goes on behind them if it is asked to
  ChannelEnded  the channel was deleted, and all of it was read
  Cut           the server ended the reading, or is no server of ours, and coming back is of no use
"""

from typing import Any, NamedTuple


class TidemarkError(Exception):
    """Any reason of this package."""


class Invalid(TidemarkError, ValueError):
    """What was given is no URL, cursor or option; nothing was asked."""


class Refused(TidemarkError):
    """The server said no. `details` is the whole body of the refusal; `retry_after_s` is None where none was named."""

    def __init__(
        self, status: int, message: str, retry_after_s: float | None = None, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(f"{message} ({status})")
        self.status = status
        self.message = message
        self.retry_after_s = retry_after_s
        self.details = details or {}

    @property
    def is_passing(self) -> bool:
        """Whether the same call may be answered otherwise a little later."""
        return self.status in (429, 500, 502, 503, 504)


class Unreachable(TidemarkError):
    """No answer came. The text names the server and the reason; `is_passing` tells whether it may come later.

    `key` is the Idempotency-Key of a write: with it the same write can be tried again, and is done once.
    """

    def __init__(self, message: str, *, is_passing: bool = True, key: str | None = None) -> None:
        super().__init__(message)
        self.is_passing = is_passing
        self.key = key


class Gap(NamedTuple):
    """Events that a reader should have got and nobody has any more: those after `after`, up to `resume`.

    `after` is the cursor (or the time) that the reader asked with. Reading goes on behind `resume`.
    """

    after: str
    resume: str


class GapFound(TidemarkError):
    """Events are lost to this reader: `gap` says between which places. The reader can be read on, behind the gap."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(
            f"There is a gap: events after {gap.after} are no longer kept; the rest begins after {gap.resume}"
        )
        self.gap = gap


class ChannelEnded(TidemarkError):
    """The channel's log has ended for good, and all of it was read."""


class Cut(TidemarkError):
    """The server ended the reading and coming back is of no use. `code` is that of the close, None without one."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code
