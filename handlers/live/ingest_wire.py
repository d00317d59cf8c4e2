"""What media servers tell, in the form posts of nginx-rtmp and in JSON (contract section 5; docs/live.md). Pure."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field

from broker.errors import Invalid
from handlers.live.wire import parse

MOST_FIELDS = 64
FORM = "application/x-www-form-urlencoded"


class Told(NamedTuple):
    """What happened: to whom who streams under `name` (a stream key, or the public name of a stream).

    Of a recording it may be told which one it is, how long, and that it failed; None is what was not told.
    """

    call: str
    name: str
    recording_id: str | None = None
    duration_ms: int | None = None
    has_failed: bool = False


class IngestTold(BaseModel):
    """The body of a hook, in JSON or as a form; further fields of the media server are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    call: Literal["publish", "update_publish", "publish_done", "record_done"]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    recording_id: Annotated[str, Field(max_length=100)] | None = None
    duration_ms: Annotated[int, Field(ge=0, le=10**10)] | None = None
    failed: bool = False

    def told(self) -> Told:
        """What it tells."""
        call = {"update_publish": "update", "record_done": "recorded"}.get(self.call, self.call)
        return Told(call, self.name, self.recording_id, self.duration_ms, self.failed)


def parse_told(content_type: str, body: bytes) -> Told:
    """What a form tells, as nginx-rtmp posts it; raises `Invalid`."""
    return parse(IngestTold, _fields(content_type, body)).told()


def _fields(content_type: str, body: bytes) -> Mapping[str, Any]:
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise Invalid(f"The body must be JSON or {FORM}")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except (UnicodeDecodeError, ValueError):
        raise Invalid("The form is malformed") from None
