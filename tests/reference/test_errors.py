"""The tables of errors have every code that the code raises, with its status, and no other.

The access matrix and the generated requests hold what is really answered against them (`tests/error_tables.py`).
"""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs
import pytest

from broker import errors as refusals
from broker.errors import Refusal
from handlers.cuey.listing import OutOfRange
from handlers.envelopes import with_request_id
from handlers.error_codes import OF_THE_ENGINE
from handlers.openapi import ALWAYS, IMPLIED
from handlers.routes import OPERATIONS
from reference.errors import CODES, ENVELOPES
from reference.limits import TAGS
from tests.error_tables import check_error, code_of

ROOT = Path(__file__).parents[2]
FOLDERS = {"lifecycle": "lifecycle", "live": "live", "calendars": "calendar", "cuey": "cuey"}
KINDS: dict[str, type[Refusal]] = {each.__name__: each for each in (*Refusal.__subclasses__(), OutOfRange)}
ANYWHERE = (404, 405, 413, 500, 503)
"""What the server answers on any path, whatever its API."""


def calls(folder: Path) -> Iterator[ast.Call]:
    for path in folder.rglob("*.py"):
        yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def raised(folder: Path) -> set[tuple[str, str, str]]:
    """Each refusal with a word of its own: its class, the member, and the word."""
    found = set()
    for call in calls(folder):
        names = [each.id for each in (call.func, *call.args) if isinstance(each, ast.Name) and each.id in KINDS]
        words = [(each.arg, each.value) for each in call.keywords if each.arg in ("code", "type")]
        if len(names) == 1 and len(call.args) > 1 and not words:
            words = [("code", each) for each in call.args[1:2]]
        for member, value in words:
            if len(names) == 1 and member and isinstance(value, ast.Constant):
                found.add((names[0], member, str(value.value)))
    return found


def answered(api: str) -> set[tuple[str, str, int]]:
    """Every code, sub-code and status that the API can answer: of what it raises, and of refusals without a word."""
    render = ENVELOPES[api]
    operations = [each for each in OPERATIONS if each.tag in TAGS[api]]
    plain = {status for each in operations for status in (*ALWAYS, *IMPLIED[each.access], *each.refusals)}
    made = [render(status, "", {}) for status in (*ANYWHERE, *plain, refusals.KeyReused.status)]
    for kind, member, word in raised(ROOT / "handlers" / FOLDERS[api]):
        made.append(render(KINDS[kind].status, "", {member: word}))
    return {(*code_of(body), status) for status, body in made}


@pytest.mark.parametrize("api", CODES)
def test_the_table_of_an_api_is_what_its_code_can_answer(api: str) -> None:
    table = {
        (each.within or each.code, each.code if each.within else "", status)
        for each in CODES[api]
        for status in each.statuses
    }
    assert table == answered(api)


def test_the_codes_of_the_engine_are_those_that_it_raises() -> None:
    found = {(kind, word) for kind, _, word in raised(ROOT / "broker")}
    assert found == {(each.refusal.__name__, each.code) for each in OF_THE_ENGINE}


@pytest.mark.parametrize("api", CODES)
def test_what_the_engine_refuses_has_the_documented_form_of_each_api(api: str) -> None:
    """A full engine made `storage_full` a code of APIs whose clients know a closed list."""
    [schema] = {json.dumps(each.error) for each in OPERATIONS if each.tag in TAGS[api] and each.error is not None}
    validator = jsonschema_rs.validator_for(schema)
    path = next(each.path for each in OPERATIONS if each.tag in TAGS[api] and each.error is not None)
    for each in OF_THE_ENGINE:
        status, body = ENVELOPES[api](each.refusal.status, "in words", {"code": each.code})
        told = with_request_id({"tidemark.request_id": "1"}, body)
        assert validator.is_valid(told), told
        check_error(path, status, told)


@pytest.mark.parametrize("path", ["/v1/calendars", "/api/v1/crons", "/v1/live-events/events", "/api/v1/channels"])
def test_an_answer_that_the_tables_have_not_is_noticed(path: str) -> None:
    body = {"error": {"code": "NONE_OF_OURS", "type": "none_of_ours"}}
    with pytest.raises(AssertionError):
        check_error(path, 418, body)
