"""Directory claims: the request, and the bytes that are signed."""

import base64
import json
from typing import Any

import pytest

from broker.directory import ClaimRequest, missing_channels, parse_claim_request, render_claim, render_signed
from broker.errors import Invalid

AT = "2026-11-24T12:00:00.000Z"
URL = "https://events.example.com"


def test_a_claim_says_server_channels_and_time() -> None:
    claim = render_claim(parse_claim_request({"channels": ["b-1", "a-1", "b-1"], "other": 1}), URL, AT)

    assert json.loads(claim) == {"server_url": URL, "channels": ["b-1", "a-1"], "timestamp": AT}


def test_a_claim_to_be_removed_says_so() -> None:
    claim = render_claim(parse_claim_request({"channels": ["abc"], "action": "delete"}), URL, AT)

    assert json.loads(claim) == {"server_url": URL, "channels": ["abc"], "timestamp": AT, "action": "delete"}


def test_what_is_told_decodes_to_the_very_bytes() -> None:
    claim = render_claim(ClaimRequest(("abc",), None), URL, AT)
    told = render_signed(claim, b"\xfb\xff" * 32)

    assert "=" not in told["claim"] + told["signature"]
    assert base64.urlsafe_b64decode(told["claim"] + "==") == claim
    assert base64.urlsafe_b64decode(told["signature"] + "==") == b"\xfb\xff" * 32


def test_missing_channels_are_named_and_cut() -> None:
    assert missing_channels(["a", "b"]).message == "Channels not found: a, b"
    assert missing_channels(["x" * 1_000]).message == "Channels not found: " + "x" * 64


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "abc",
        {},
        {"channels": None},
        {"channels": []},
        {"channels": "abc"},
        {"channels": {"abc": 1}},
        {"channels": [1]},
        {"channels": ["abc", None]},
        {"channels": ["abc"] * 101},
        {"channels": ["abc"], "action": "list"},
        {"channels": ["abc"], "action": ["delete"]},
        {"channels": ["abc"], "action": 1},
    ],
)
def test_a_bad_request_is_refused(body: Any) -> None:
    with pytest.raises(Invalid):
        parse_claim_request(body)
