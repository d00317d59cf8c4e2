"""Keys in their scope, and what an earlier answer means for a call."""

import pytest

from broker.errors import Conflict, Invalid, KeyReused
from broker.idempotency import IdempotencyKey, Kept, check_replay, is_kept, make_key

SCOPE = {"principal": "p", "method": "POST", "path": "/x", "body": b"{}"}


def key(text: str = "k", **scope: str | bytes) -> IdempotencyKey:
    made = make_key(text, 128, **{**SCOPE, **scope})  # type: ignore[arg-type]
    assert made is not None
    return made


def test_a_key_counts_for_its_principal_method_and_path_only() -> None:
    others = [key("l"), key(principal="q"), key(method="PUT"), key(path="/y")]
    assert key().row == key(body=b"other").row
    assert len({key().row, *(each.row for each in others)}) == 5
    assert key().body != key(body=b"other").body


@pytest.mark.parametrize("text", ["", "x" * 129, "a\nb", "\x7f"])
def test_bad_keys_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        key(text)


def test_without_the_header_there_is_no_key() -> None:
    assert make_key(None, 128, principal="p", method="POST", path="/x", body=b"") is None


def test_an_answer_is_replayed_to_the_same_body_only() -> None:
    kept = Kept(key().body, 201, b"yes")
    assert check_replay(key(), kept) is kept
    with pytest.raises(KeyReused):
        check_replay(key(body=b"other"), kept)


def test_a_secret_that_is_no_longer_kept_is_a_conflict_of_its_own_code() -> None:
    with pytest.raises(Conflict) as refused:
        check_replay(key(), Kept(key().body, 201, None))
    assert refused.value.extra == {"code": "idempotency_expired"}


def test_what_may_be_answered_otherwise_later_is_not_kept() -> None:
    assert [
        status for status in (200, 201, 204, 400, 401, 403, 404, 409, 422, 429, 500, 503) if not is_kept(status)
    ] == [
        401,
        429,
        500,
        503,
    ]
