"""A call that is made again until there is an answer, within a time: for calls that may be sent twice. Pure.

All calls of the clients are such: reads by their nature, writes by their Idempotency-Key. So an answer that was lost
on its way costs a second request and nothing else.
"""

from tidemark_client.answers import Answer, Call
from tidemark_client.errors import Refused, Unreachable
from tidemark_client.steps import Ask, Done, Finish, Pause
from tidemark_client.timing import Pauses, Timing, not_before_s


class Retrying:
    """One call and how it goes.

    It ends with `Refused` at once where trying again is of no use, and with the last failure when `patience_s` is over.
    """

    def __init__(self, call: Call, patience_s: float, began_s: float, timing: Timing) -> None:
        self._says: str | None = None
        self._has_said = False
        self._call = call
        self._until_s = began_s + patience_s
        self._pauses = Pauses(timing.call_first_s, timing.call_longest_s)
        self._answer: Answer | None = None
        self._failure: Refused | Unreachable | None = None

    def next_step(self, now_s: float, chance: float) -> Ask | Pause | Done | Finish:
        """What to do now."""
        if self._answer is not None:
            return Done(self._answer)
        failure, self._failure = self._failure, None
        if failure is None:
            return Ask(self._call)
        asked_s = (failure.retry_after_s or 0.0) if isinstance(failure, Refused) else 0.0
        pause_s = max(self._pauses.next_s(chance), not_before_s(asked_s, chance))
        if not failure.is_passing or now_s + pause_s > self._until_s:
            return Finish(failure)
        self._says = None if self._has_said else f"{failure}; trying again"
        self._has_said = True
        return Pause(pause_s)

    def say(self) -> str | None:
        """Why it has to be tried again, for a person: the first time only."""
        says, self._says = self._says, None
        return says

    def on_answer(self, answer: Answer) -> None:
        """The server answered."""
        if 200 <= answer.status < 400:
            self._answer = answer
        else:
            self._failure = answer.refusal

    def on_failure(self, says: str, *, is_passing: bool = True) -> None:
        """No answer came; whether it was done is unknown."""
        self._failure = Unreachable(says, is_passing=is_passing, key=self._call.key)
