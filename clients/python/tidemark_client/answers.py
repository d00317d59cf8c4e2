"""HTTP as the core sees it: a call to make, an answer that came, and whether it says no. Pure."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from tidemark_client.errors import Refused
from tidemark_client.event import NOT_OURS

KEY_HEADER = "Idempotency-Key"


class Call(NamedTuple):
    """One request: a method, the segments of a path below the API with its query, a JSON body, and further headers.

    `wait_s` is for how long the server may hold the answer back by itself (a long poll).
    """

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str] = {}
    body: bytes | None = None
    headers: Mapping[str, str] = {}
    wait_s: float = 0.0

    @property
    def key(self) -> str | None:
        """Its Idempotency-Key."""
        return self.headers.get(KEY_HEADER)


class Answer(NamedTuple):
    """What came back; `headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after_s(self) -> float | None:
        """Seconds of its Retry-After; a date is as none."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isascii() and text.isdecimal() else None

    @property
    def is_ours(self) -> bool:
        """Whether it is a refusal in the envelope of the channels API, and no word of somebody on the way."""
        return isinstance(_envelope(self.body).get("error"), str)

    @property
    def refusal(self) -> Refused:
        """It as a refusal: the `error` of the envelope, or what the status means where somebody else answered."""
        envelope = _envelope(self.body)
        words = envelope.get("error")
        return Refused(
            self.status, words if isinstance(words, str) else _phrase(self.status), self.retry_after_s, envelope
        )


def parse_answer(answer: Answer) -> Any:
    """The JSON of an answer, None for an empty body; raises `Refused` where it is no success or no JSON."""
    if not 200 <= answer.status < 300:
        raise answer.refusal
    try:
        return json.loads(answer.body) if answer.body else None
    except ValueError:
        raise Refused(answer.status, NOT_OURS) from None


def member(told: Any, name: str) -> Any:
    """A member of an answer that has to be an object with it; raises `Refused`."""
    if not isinstance(told, dict) or name not in told:
        raise Refused(200, NOT_OURS)
    return told[name]


def _envelope(body: bytes) -> dict[str, Any]:
    try:
        envelope = json.loads(body)
    except ValueError:
        return {}
    return envelope if isinstance(envelope, dict) else {}


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "The server refused"
