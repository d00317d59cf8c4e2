"""What `tail` shows of what it is given."""

import pytest

from broker.errors import Invalid
from handlers.terminal.filters import Filter, parse_pattern

EVENT = {"publisher_id": "shop", "data": {"subject": "ord_1", "status": "paid"}}
TEXT = '{"subject":"ord_1","status":"paid"}'


@pytest.mark.parametrize(
    ("wanted", "is_shown"),
    [
        (Filter(), True),
        (Filter(publisher="shop"), True),
        (Filter(publisher="other"), False),
        (Filter(subject="ord_1"), True),
        (Filter(subject="ord_2"), False),
        (Filter(pattern=parse_pattern(r'status":"pa')), True),
        (Filter(pattern=parse_pattern("^paid$")), False),
        (Filter("shop", "ord_1", parse_pattern("paid")), True),
        (Filter("shop", "ord_1", parse_pattern("open")), False),
    ],
)
def test_all_that_is_asked_has_to_fit(wanted: Filter, is_shown: bool) -> None:
    assert wanted.wants(EVENT, TEXT) is is_shown


@pytest.mark.parametrize("data", [None, "ord_1", ["subject"], 5])
def test_data_without_a_subject_have_none(data: object) -> None:
    assert not Filter(subject="ord_1").wants({"data": data}, "")


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(Invalid, match="is no regular expression"):
        parse_pattern("(")
