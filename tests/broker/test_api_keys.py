"""API keys: their forms, what is kept of them, and what they are good for."""

from typing import Any

import pytest

from broker.api_keys import (
    KeyRequest,
    digest_of,
    grant_of,
    id_of,
    is_api_key,
    make_key,
    parse_request,
    parse_stored,
    place_of,
    render_key,
    render_stored,
)
from broker.errors import Invalid

LETTERS = "0Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0Kk1Ll2Mm3Nn"[:40]


@pytest.mark.parametrize(
    ("request_", "head"),
    [
        (KeyRequest("acme", ("lifecycle", "live", "cuey")), "tm_07"),
        (KeyRequest("acme", ("calendar",)), "chr_sk_07"),
        (KeyRequest("acme", ("calendar",), "agent-1"), "chr_ak_07"),
    ],
)
def test_a_key_says_its_form_and_its_partition_and_nothing_of_it_is_kept(request_: KeyRequest, head: str) -> None:
    text, key = make_key(request_, 7, LETTERS, 5)
    assert text == head + LETTERS and is_api_key(text)
    stored = render_stored(key)
    assert LETTERS[4:].encode() not in stored and parse_stored(stored) == key
    assert key.prefix == head + LETTERS[:4] and LETTERS[:5] not in str(render_key(key))
    assert key.id == id_of(text) and place_of(key.id) == (7, digest_of(text)[:32])
    assert key.is_of(text) and not key.is_of(text[:-1] + "x")


@pytest.mark.parametrize(
    "text", ["", "tm_", f"tm_x7{LETTERS}", f"tm_07{LETTERS}x", f"tm_07{LETTERS[:-1]}", f"xx_07{LETTERS}", "eyJ.a.b"]
)
def test_other_credentials_are_no_api_keys(text: str) -> None:
    assert not is_api_key(text)
    with pytest.raises(Invalid):
        id_of(text)


@pytest.mark.parametrize("key_id", ["", "key_07", f"key_x7{'0' * 32}", f"key_07{'0' * 33}", f"key_07{'G' * 32}"])
def test_other_texts_are_no_ids(key_id: str) -> None:
    assert place_of(key_id) is None


@pytest.mark.parametrize(
    ("tenant", "scopes", "agent"),
    [
        (None, ["cuey"], None),
        ("Acme", ["cuey"], None),
        ("acme", [], None),
        ("acme", None, None),
        ("acme", "cuey", None),
        ("acme", ["admin"], None),
        ("acme", [1], None),
        ("acme", ["calendar", "cuey"], None),
        ("acme", ["cuey"], "agent"),
        ("acme", ["calendar"], "a b"),
        ("acme", ["calendar"], 5),
    ],
)
def test_bad_requests_are_refused(tenant: Any, scopes: Any, agent: Any) -> None:
    with pytest.raises(Invalid):
        parse_request(tenant, scopes, agent)


def test_scopes_are_kept_once_and_in_one_order() -> None:
    assert parse_request("acme", ["cuey", "lifecycle", "cuey"]).apis == ("lifecycle", "cuey")


def test_a_key_reads_its_own_tenants_channels_of_its_apis_and_publishes_nowhere() -> None:
    grant = grant_of(make_key(KeyRequest("acme", ("lifecycle", "cuey")), 7, LETTERS, 5)[1])
    assert grant.may_subscribe("lifecycle-team-acme") and grant.may_subscribe("cuey-team-acme")
    for channel_id in ("live-team-acme", "lifecycle-team-acme2", "lifecycle-team-other", "news", "system-auth"):
        assert not grant.may_subscribe(channel_id)
    assert not grant.may_publish("lifecycle-team-acme") and not grant.is_admin
    assert grant.may_call("cuey") and not grant.may_call("live") and not grant.may_call("calendar")
    assert grant.principal.startswith("#key_07")


def test_an_agents_key_does_not_read_its_organisations_channel() -> None:
    organisation = grant_of(make_key(KeyRequest("acme", ("calendar",)), 7, LETTERS, 5)[1])
    agent = grant_of(make_key(KeyRequest("acme", ("calendar",), "a1"), 7, LETTERS, 5)[1])
    assert organisation.may_subscribe("calendar-org-acme")
    assert not agent.may_subscribe("calendar-org-acme") and agent.agent == "a1" and agent.may_call("calendar")
