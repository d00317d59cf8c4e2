"""The errors of each API: how one looks, and its codes with their statuses (the `errors` modules of the APIs)."""

from collections.abc import Sequence

from broker.strictjson import render_json
from handlers.calendar import errors as calendar
from handlers.cuey import errors as cuey
from handlers.envelopes import Envelope, render_plain
from handlers.error_codes import OF_THE_ENGINE, ErrorCode
from handlers.lifecycle import errors as lifecycle
from handlers.live import errors as live
from handlers.openapi import MEANING
from reference.markdown import code, render_table

ENVELOPES: dict[str, Envelope] = {
    "channels": render_plain,
    "lifecycle": lifecycle.render_error,
    "live": live.render_error,
    "calendars": calendar.render_error,
    "cuey": cuey.render_error,
}
CODES: dict[str, Sequence[ErrorCode]] = {
    "lifecycle": lifecycle.ERRORS,
    "live": live.ERRORS,
    "calendars": calendar.ERRORS,
    "cuey": cuey.ERRORS,
}


def render_body(api: str) -> str:
    """The body of an error."""
    _, body = ENVELOPES[api](404, "There is no such thing", {})
    return f"```json\n{render_json(body).decode()}\n```"


def render_codes(api: str) -> str:
    """The table of an API's codes."""
    rows = [
        [
            " ".join(code(each) for each in (row.within, row.code)).strip(),
            ", ".join(map(str, row.statuses)),
            row.meaning,
        ]
        for row in CODES[api]
    ]
    return render_table(["Code", "Status", "When"], rows)


def render_statuses() -> str:
    """The table of the channels API, whose errors have a status and a text."""
    return render_table(["Status", "When"], [[str(status), meaning] for status, meaning in MEANING.items()])


def render_engine_codes() -> str:
    """The codes that come from the engine, as each API spells them."""
    rows = [[code(each.code), *(_spelled(api, each.code, each.refusal.status) for api in ENVELOPES), each.meaning]
            for each in OF_THE_ENGINE]  # fmt: skip
    return render_table(["Code", *ENVELOPES, "When"], rows)


def _spelled(api: str, word: str, status: int) -> str:
    answered, body = ENVELOPES[api](status, "", {"code": word})
    error = body["error"] if isinstance(body.get("error"), dict) else body
    return f"{answered} {code(error['code'])}" if error["code"] != word else str(answered)
