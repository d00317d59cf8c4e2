"""The ring of an endpoint's attempts."""

import orjson

from broker.change import Document
from broker.deliveries import Attempt, Outcome
from broker.delivery_log import KEPT_DAYS, ROWS, gap_of, index_of, keys_of, parse_rows, put_row, row_of

NOW = 1_800_000_000_000


def test_an_attempt_is_shown_with_what_came_of_it() -> None:
    outcome = Outcome(None, "no answer within 15 s", NOW, 15_000)
    assert row_of(Attempt("id1", 2, "retrying", outcome, NOW + 300_000)) == {
        "verdict": "retrying",
        "event_id": "id1",
        "attempt": 2,
        "at": "2027-01-15T08:00:00.000Z",
        "duration_ms": 15_000,
        "status": None,
        "error": "no answer within 15 s",
        "next_attempt_at": "2027-01-15T08:05:00.000Z",
    }


def test_rows_go_round() -> None:
    keys = keys_of("tag/wh", ROWS - 1, 2)
    assert [each.id for each in keys] == ["tag/wh/999", "tag/wh/000"]
    assert keys_of("tag/wh", 2 * ROWS - 1, 2) == keys


def test_a_row_stands_in_two_indexes_by_its_number_and_has_an_end() -> None:
    [key] = keys_of("tag/wh", 5, 1)
    put = put_row(key, Document(9, b"{}"), "tag/wh", 5, gap_of("a", "b", NOW), NOW)
    assert put.expected == 9 and put.expires_ms == NOW + KEPT_DAYS * 86_400_000
    assert [(each.name, each.score, each.member) for each in put.entries] == [
        (index_of("tag/wh"), 5, key.id),
        (index_of("tag/wh", "gap"), 5, key.id),
    ]
    assert parse_rows([Document(1, put.body)]) == [
        {"number": 5, "verdict": "gap", "after": "a", "until": "b", "at": "2027-01-15T08:00:00.000Z"}
    ]
    assert orjson.loads(put.body)["number"] == 5
    assert put_row(key, None, "tag/wh", 5, gap_of("a", "b", NOW), NOW).expected == 0
