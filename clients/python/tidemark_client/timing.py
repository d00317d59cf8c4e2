"""How long a client waits for what, and before it tries again: ever longer, never in step with others. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Spans of time in seconds. The defaults are those of `docs/close-codes.md`; tests shorten them."""

    answer_s: float = 10.0
    """How long an answer may take."""
    open_s: float = 10.0
    """How long a socket or a stream may take to open: with a stream's first byte, in the blocking face its head."""
    silence_s: float = 30.0
    """After so long without a word on a socket it is asked over HTTP whether there is one; a stream may be silent
    twice as long, as the server says something every 25 s."""
    grace_s: float = 5.0
    """So long a socket may be behind what HTTP says, before it counts as broken."""
    first_s: float = 1.0
    """The first wait before a reader comes back; the next ones double."""
    longest_s: float = 30.0
    """The longest of them."""
    call_first_s: float = 0.2
    """The first wait before a call is tried again; the next ones double."""
    call_longest_s: float = 5.0
    """The longest of them."""
    steady_s: float = 60.0
    """A reader that fell back tries the better way again after so long."""
    wait_s: float = 25.0
    """How long the server holds a long poll."""
    poll_s: float = 2.0
    """How often a page is polled that says nothing of it."""


class Pauses:
    """Seconds to wait before each next try: doubling up to `longest_s`, each shortened at random by up to half.

    `chance` is a number from 0 to 1. The random part spreads those who were cut off together by a restart.
    """

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def next_s(self, chance: float) -> float:
        """The next wait."""
        pause_s = self._next_s * (1 - chance / 2)
        self._next_s = min(2 * self._next_s, self._longest_s)
        return pause_s

    def spread_s(self, chance: float) -> float:
        """A random part of the first wait, for those whom a restart sends all at once; the next one is whole."""
        return self._first_s * chance

    def reset(self) -> None:
        """Begin again with the first."""
        self._next_s = self._first_s


def not_before_s(asked_s: float, chance: float) -> float:
    """What a server asked to wait, and up to a quarter more: it asked all of them for the same."""
    return asked_s * (1 + chance / 4)
