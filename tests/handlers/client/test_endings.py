"""Each close code asks for one thing of a reader (contract section 16)."""

import pytest

from handlers.client.endings import Cut, Ended, after_close

AT = "01M8AD6V5177ERCVF2V0000000"
TOLD = "01M8AD6V5177ERCVF2V0000009"


@pytest.mark.parametrize("code", [1001, 1006, 1011, 1012, 1013, 4408, 3000])
def test_these_come_back_after_the_cursor_of_the_reason(code: int) -> None:
    resume = after_close(code, f"why; cursor={TOLD}", cursor=AT)
    assert (resume.cursor, resume.is_gap, resume.says) == (
        TOLD,
        False,
        f"The server closed the connection ({code} why)",
    )


@pytest.mark.parametrize(
    "reason", ["", "restart", f"restart; cursor={TOLD[:-1]}", f"x; cursor={TOLD.lower()}", f"; cursor={TOLD} "]
)
def test_without_a_cursor_they_come_back_where_the_reader_stands(reason: str) -> None:
    assert after_close(1012, reason, cursor=AT).cursor is None


def test_a_broken_connection_comes_back_where_the_reader_stands() -> None:
    assert after_close(None, "", cursor=AT).cursor is None


def test_a_gap_goes_on_from_the_cursor_of_the_reason_and_names_where_it_begins() -> None:
    resume = after_close(4410, f"cursor expired; cursor={TOLD}", cursor=AT)
    assert (resume.cursor, resume.is_gap) == (TOLD, True)
    assert resume.says == f"There is a gap: events after {AT} are no longer kept"


def test_a_deleted_channel_is_the_end() -> None:
    with pytest.raises(Ended, match=r"^channel deleted$"):
        after_close(1000, "channel deleted", cursor=AT)


@pytest.mark.parametrize("code", [1008, 1009, 4401, 4403, 4410, 4499])
def test_these_are_errors(code: int) -> None:
    with pytest.raises(Cut, match=rf"no good \({code}\)"):
        after_close(code, "no good", cursor=AT)


def test_an_expired_token_is_none_for_who_can_renew_it() -> None:
    assert after_close(4401, f"token expired; cursor={TOLD}", cursor=AT, is_renewable=True).cursor == TOLD
    with pytest.raises(Cut):
        after_close(4403, "forbidden", cursor=AT, is_renewable=True)
