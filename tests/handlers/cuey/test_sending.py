"""The request of a call, and what is kept of its answer (contract sections 2, 7 and 9)."""

from dataclasses import replace

import pytest
from multidict import CIMultiDict

from broker.webclient import Answered
from handlers.cuey.machine import ScheduledWebhook, Target
from handlers.cuey.sending import call_of, joined, kept, outcome_of

WEBHOOK = ScheduledWebhook("i", Target("https://a.example/x?y=%20", payload={"a": 1}), 1_000, 1, 2)


def with_target(**changed: object) -> ScheduledWebhook:
    return replace(WEBHOOK, target=replace(WEBHOOK.target, **changed))  # type: ignore[arg-type]


def test_a_call_says_which_event_it_is_of() -> None:
    call = call_of(replace(WEBHOOK, retry_of="r"), 5.0)
    assert (call.method, call.url, call.body, call.timeout_s) == ("POST", "https://a.example/x?y=%20", b'{"a":1}', 5.0)
    assert call.headers == {
        "X-Cuey-Event-Id": "i",
        "X-Cuey-Scheduled-At": "1970-01-01T00:00:01.000Z",
        "X-Cuey-Retry-Of": "r",
        "Content-Type": "application/json",
    }
    assert "X-Cuey-Retry-Of" not in call_of(WEBHOOK, 5.0).headers


def test_ones_own_content_type_stays_and_our_names_are_ours() -> None:
    headers = call_of(with_target(headers={"content-type": "text/x", "x-cuey-event-id": "forged"}), 5.0).headers
    assert headers["content-type"] == "text/x" and "Content-Type" not in headers
    assert "x-cuey-event-id" not in headers and headers["X-Cuey-Event-Id"] == "i"


@pytest.mark.parametrize(("method", "has_body"), [("GET", False), ("HEAD", False), ("OPTIONS", True), ("DELETE", True)])
def test_get_and_head_have_no_body(method: str, has_body: bool) -> None:
    call = call_of(with_target(method=method), 5.0)
    assert bool(call.body) is has_body and ("Content-Type" in call.headers) is has_body


def test_no_payload_is_no_body_and_null_like_ones_are() -> None:
    assert call_of(with_target(payload=None), 5.0).body == b""
    for payload, body in ((False, b"false"), (0, b"0"), ("", b'""')):
        assert call_of(with_target(payload=payload), 5.0).body == body


def test_a_body_is_cut_at_1_kb_and_within_no_character() -> None:
    assert kept(b"x" * 5_000) == "x" * 1_024
    assert kept(b"x" * 1_023 + "é".encode()) == "x" * 1_023
    assert kept(b"a\0\x1b\xff") == "a\0\x1b\ufffd"
    assert kept(b"\xc3") == "\ufffd"


def test_headers_that_come_more_often_are_one() -> None:
    headers = CIMultiDict([("Set-Cookie", "a=1"), ("X", "y"), ("set-cookie", "b=2")])
    assert joined(headers.items()) == {"set-cookie": "a=1, b=2", "x": "y"}
    assert len(joined([(f"x-{n}", "y" * 1_000) for n in range(50)])) < 20
    assert joined([("x", "a\udcff")]) == {"x": "a?"}


def test_an_outcome_has_an_error_unless_it_is_2xx() -> None:
    good = outcome_of(Answered(204, None, {}, b"", 3))
    assert (good.error, good.body, good.headers, good.is_success) == (None, "", {}, True)
    bad = outcome_of(Answered(302, None, {"Location": "http://127.0.0.1"}, b"moved", 3))
    assert (bad.error, bad.status, bad.is_success) == ("The receiver answered 302", 302, False)
    none = outcome_of(Answered(None, "the address 10.0.0.1 may not be called", {}, b"", 3))
    assert (none.status, none.headers, none.body, none.error) == (
        None,
        None,
        None,
        "the address 10.0.0.1 may not be called",
    )
