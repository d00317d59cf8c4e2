"""Publishing: in batches, each stored once however often it has to be sent."""

import json
import secrets
from collections.abc import Sequence

from handlers.client.api import Api, Call, member
from handlers.client.persistence import Say, persist

BATCH_EVENTS = 100
KEY_HEADER = "Idempotency-Key"


class Publisher:
    """Appends to one channel. `patience_s` is for how long an absent server is waited for, each time."""

    def __init__(self, api: Api, channel_id: str, *, type_name: str | None, patience_s: float, say: Say) -> None:
        self._api = api
        self._path = api.url.path("channels", channel_id, "events")
        self._type_name = type_name
        self._patience_s = patience_s
        self._say = say

    def publish(self, data: Sequence[bytes], key: str | None = None) -> list[str]:
        """The ids of the new events, one for each JSON text in `data`, at most `BATCH_EVENTS`; all are stored or none.

        With the key of an earlier try nothing is stored again. Raises `Refused`, and `Unreachable` when it is not known
        whether they were stored.
        """
        body = render_batch(data, self._type_name)
        call = Call("POST", self._path, body, {KEY_HEADER: key or secrets.token_hex(16)})
        answer = persist(self._api, call, patience_s=self._patience_s, say=self._say)
        return [event["id"] for event in member(answer, "events")]


def render_batch(data: Sequence[bytes], type_name: str | None) -> bytes:
    """The body of a publish; data go in as they are, so that no number is rounded on the way."""
    head = b"{" if type_name is None else b'{"type":%b,' % json.dumps(type_name).encode()
    return b'{"events":[%b]}' % b",".join([b'%b"data":%b}' % (head, text) for text in data])
