"""The error body of the lifecycle API."""

import pytest

from handlers.lifecycle.errors import CODES, render_error
from handlers.lifecycle.models import ErrorShown


@pytest.mark.parametrize(("status", "code"), CODES.items())
def test_each_status_has_its_code(status: int, code: str) -> None:
    assert render_error(status, "no", {}) == (status, {"code": code, "message": "no", "details": []})


def test_a_refusal_that_has_a_code_and_details_keeps_them() -> None:
    extra = {"code": "not_found", "details": [{"argument": 0, "id": "x"}]}
    assert render_error(404, "no", extra) == (404, {"code": "not_found", "message": "no", "details": extra["details"]})


def test_a_key_that_came_with_another_body_is_409() -> None:
    status, body = render_error(422, "no", {})
    assert (status, body["code"]) == (409, "already_exists")


def test_a_status_that_nobody_thought_of_is_internal_and_every_code_is_in_the_schema() -> None:
    assert render_error(418, "no", {})[1]["code"] == "internal"
    for status in (*CODES, 418, 422):
        ErrorShown.model_validate(render_error(status, "no", {"details": [{"message": "x"}]})[1])
