"""The table of close codes has every code with which a subscription can end, once and in order."""

from typing import get_args

from broker import closing
from broker.closing import CloseReason
from handlers.channels.close_codes import CLOSE_CODES, Door, codes_at


def test_every_reason_of_the_engine_is_in_the_table_with_its_words() -> None:
    reasons = {each for each in vars(closing).values() if isinstance(each, CloseReason)}
    # 1011 says more than one thing, and so has other words.
    reasons.remove(closing.DEFECT)
    assert closing.DEFECT.code in {row.code for row in CLOSE_CODES}
    assert reasons <= {CloseReason(row.code, row.reason) for row in CLOSE_CODES}
    assert len(reasons) == 7


def test_codes_are_listed_once_and_in_order() -> None:
    codes = [row.code for row in CLOSE_CODES]
    assert codes == sorted(set(codes))
    assert all(codes_at(door) for door in get_args(Door))
