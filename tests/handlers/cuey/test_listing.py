"""Which page is asked for (contract section 2)."""

import pytest

from broker.errors import Invalid
from handlers.cuey.listing import Asked, OutOfRange, parse_crons_query, parse_events_query, render_page

CRON = "7b1f2f2e-0000-4000-8000-00000000000a"


def test_a_query_without_anything_is_the_first_hundred() -> None:
    assert parse_events_query({}) == Asked(0, 100)
    assert parse_events_query({"page": "2", "limit": "7"}).skip == 14


def test_filters_are_understood() -> None:
    assert parse_events_query({"status": "failed", "cron_id": CRON.upper()}) == Asked(0, 100, "failed", CRON)
    assert parse_crons_query({"is_active": "false"}).is_active is False


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"page": "-1"}, "page"),
        ({"page": "x"}, "page"),
        ({"page": "1.0"}, "page"),
        ({"page": ""}, "page"),
        ({"page": "9" * 30}, "page"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "\u0661"}, "limit"),
        ({"status": "done"}, "status"),
        ({"cron_id": "x"}, "cron_id"),
    ],
)
def test_what_is_wrong_is_told(query: dict[str, str], path: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_events_query(query)
    assert [each["path"] for each in caught.value.extra["details"]] == [[path]]


def test_only_true_and_false_are_activity() -> None:
    with pytest.raises(Invalid):
        parse_crons_query({"is_active": "1"})


def test_a_page_beyond_the_last_is_416_and_the_first_is_always_there() -> None:
    assert render_page(Asked(0, 100), 0, [])["pagination"] == {"page": 0, "limit": 100, "total": 0}
    assert render_page(Asked(1, 10), 11, [{}])["data"] == [{}]
    for page in (1, 2):
        with pytest.raises(OutOfRange) as caught:
            render_page(Asked(page, 10), 10, [])
        assert (caught.value.status, caught.value.extra["code"]) == (416, "INTERNAL_SERVER_ERROR")
