"""Error bodies: of one form, by statuses that the client of this API knows (contract section 3)."""

import pytest

from handlers.cuey.errors import render_error


@pytest.mark.parametrize(
    ("status", "shown", "code"),
    [
        (400, 400, "BAD_REQUEST"),
        (401, 401, "UNAUTHORIZED"),
        (403, 401, "UNAUTHORIZED"),
        (404, 404, "NOT_FOUND"),
        (405, 405, "BAD_REQUEST"),
        (409, 400, "BAD_REQUEST"),
        (413, 400, "BAD_REQUEST"),
        (422, 400, "BAD_REQUEST"),
        (429, 429, "RATE_LIMITED"),
        (500, 500, "INTERNAL_SERVER_ERROR"),
        (503, 503, "INTERNAL_SERVER_ERROR"),
    ],
)
def test_each_status_has_its_code(status: int, shown: int, code: str) -> None:
    assert render_error(status, "no", {"other": 1}) == (shown, {"error": {"message": "no", "code": code}})


def test_a_code_and_details_of_ones_own_are_told() -> None:
    details = [{"path": ["a"], "message": "b"}]
    _, body = render_error(400, "no", {"code": "VALIDATION_ERROR", "details": details})
    assert body["error"] == {"message": "no", "code": "VALIDATION_ERROR", "details": details}
