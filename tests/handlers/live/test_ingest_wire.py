"""What media servers tell, as forms and as JSON."""

import pytest

from broker.errors import Invalid
from handlers.live.ingest_wire import FORM, IngestTold, Told, parse_told


def test_the_calls_of_nginx_rtmp_are_understood() -> None:
    form = b"app=live&flashver=FMLE&swfurl=&tcurl=rtmp%3A%2F%2Fx&addr=1.2.3.4&call=publish&name=sk_00x&type=live"
    assert parse_told(FORM, form) == Told("publish", "sk_00x")
    assert parse_told(f"{FORM}; charset=utf-8", b"call=update_publish&name=n").call == "update"
    assert parse_told(FORM, b"call=publish_done&name=n").call == "publish_done"
    assert parse_told(FORM, b"call=record_done&name=n&path=/x.flv&recorder=r").call == "recorded"


def test_a_recording_may_say_how_long_it_is_or_that_it_failed() -> None:
    assert IngestTold(call="record_done", name="n", recording_id="r", duration_ms=5).told() == Told(
        "recorded", "n", "r", 5
    )
    failed = parse_told(FORM, b"call=record_done&name=n&failed=true")
    assert failed.has_failed and failed.duration_ms is None


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"call=publish&name=n"),
        (FORM, b""),
        (FORM, b"call=publish"),
        (FORM, b"call=play&name=n"),
        (FORM, b"call=publish&name=" + b"n" * 201),
        (FORM, b"\xff"),
        (FORM, b"&".join(b"a=1" for _ in range(65))),
        (FORM, b"call=record_done&name=n&duration_ms=x"),
    ],
)
def test_anything_else_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(Invalid):
        parse_told(kind, body)
