"""The clients do what the table of close codes asks of them (`handlers/channels/close_codes.py`)."""

import pytest

from handlers.channels.close_codes import CLOSE_CODES, CloseCode
from tests.clients.cases import START
from tidemark_client.endings import Close, Resume, after_close, parse_close
from tidemark_client.errors import ChannelEnded, Cut

PACES = {
    "1 s, doubled to 30 s, with jitter": ("growing", 0.0),
    "a random part of 1 s; then as for 1013": ("spread", 0.0),
    "60 s": ("growing", 60.0),
    "1 s": ("growing", 1.0),
    "-": ("at once", 0.0),
}


@pytest.mark.parametrize("row", CLOSE_CODES, ids=lambda row: str(row.code))
def test_every_row_of_the_table(row: CloseCode) -> None:
    told = START if row.cursor == "the one told" else None
    close = Close(row.code, row.reason, told)
    if not row.reconnect.startswith("yes"):
        with pytest.raises((ChannelEnded, Cut)):
            after_close(close, is_renewable=True)
        return
    resume = after_close(close, is_renewable=True)
    assert (resume.pace, resume.least_s) == PACES[row.wait]
    assert resume.cursor == told
    assert resume.is_gap == (row.code == 4410)


def test_only_a_deleted_channel_has_ended() -> None:
    with pytest.raises(ChannelEnded, match="channel deleted"):
        after_close(Close(1000, "channel deleted", None))


def test_an_expired_token_is_an_error_for_who_has_no_other() -> None:
    with pytest.raises(Cut, match=r"token expired \(4401\)") as cut:
        after_close(Close(4401, "token expired", START))
    assert cut.value.code == 4401


def test_a_gap_without_a_cursor_is_no_place_to_go_on_from() -> None:
    with pytest.raises(Cut):
        after_close(Close(4410, "cursor expired", None))


@pytest.mark.parametrize("code", [1001, 1005, 1014, 3000])
def test_what_others_close_with_is_come_back_from(code: int) -> None:
    assert after_close(Close(code, "", None)) == Resume(None, f"The server closed the connection ({code})")


@pytest.mark.parametrize("reason", ["", "restart", "cursor=x", f"; cursor={START}x", f"; cursor={START[:-1]}"])
def test_a_reason_without_a_cursor_has_none(reason: str) -> None:
    assert parse_close(1012, reason) == Close(1012, reason, None)


def test_the_cursor_of_a_reason_is_found() -> None:
    assert parse_close(1012, f"restart; cursor={START}") == Close(1012, "restart", START)
