"""Whether an error that was answered is one of those that the tables of the APIs have."""

from typing import Any

from handlers.envelopes import Envelope
from handlers.error_codes import OF_THE_ENGINE
from handlers.openapi import MEANING
from handlers.routes import ENVELOPES
from reference import errors

API_OF: dict[Envelope, str] = {envelope: api for api, envelope in errors.ENVELOPES.items()}

WITH_WORDS_OF_THE_ENGINE = ("live", "calendars")
"""The APIs that pass on the engine's own codes; the others have a closed list of theirs."""


def code_of(body: Any) -> tuple[str, str]:
    """The code and its sub-code in an error body of a domain API."""
    error = body["error"] if isinstance(body.get("error"), dict) else body
    return error.get("type") or error["code"], error["code"] if "type" in error and "code" in error else ""


def check_error(path: str, status: int, body: Any) -> None:
    """Fails where an API answers a code or a status that its table has not."""
    envelope = next((each for start, each in ENVELOPES.items() if path == start or path.startswith(f"{start}/")), None)
    if envelope is None:
        assert status in MEANING and isinstance(body["error"], str)
        return
    api = API_OF[envelope]
    told, more = code_of(body)
    rows = {(each.within or each.code, each.code if each.within else ""): each for each in errors.CODES[api]}
    words = {each.code for each in OF_THE_ENGINE} if api in WITH_WORDS_OF_THE_ENGINE else set()
    if {told.lower(), more} & words:
        return
    assert (told, more) in rows, f"{api} says {told} {more}"
    assert status in rows[told, more].statuses, f"{api} says {told} {more} with {status}"
