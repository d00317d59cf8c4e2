"""Tokens: minting, and what of a good one is read."""

import base64
import json
from typing import Any

import pytest

from broker.claims import render_claims
from broker.errors import Invalid, Unauthorized
from broker.scopes import Grant
from broker.tokens import MAX_TOKEN, MintRequest, mint, parse_mint, read_claims, read_token
from tests.broker.forge import NOW_S, SERVER, forge

KEYS = {"server": SERVER.trusted}
URL = "https://broker.example"
OLD_CLAIM = "https://zooid.dev/scopes"


def read(token: str, now_s: float = NOW_S, leeway_s: float = 0) -> Grant:
    return read_token(token, KEYS, audiences=[URL], now_s=now_s, leeway_s=leeway_s)


def minted(**request: Any) -> str:
    return mint(MintRequest(**{"scopes": ("sub:a",)} | request), SERVER, now_s=NOW_S + 0.9, audience=URL)


def claims_of(payload: Any) -> dict[str, Any]:
    claims, _ = read_claims(forge(payload), KEYS, audiences=[URL], now_s=NOW_S)
    return render_claims(claims)


def each(name: str, *values: Any) -> list[dict[str, Any]]:
    """One change of a body for each of `values`."""
    return [{name: value} for value in values]


def test_a_minted_token_reads_as_it_was_asked_for() -> None:
    grant = read(minted(scopes=("pub:a", "sub:*"), sub="bob", name="Bob", groups=("ops",), expires_in_s=60))

    assert (grant.scopes, grant.subject, grant.name, grant.groups) == (("pub:a", "sub:*"), "bob", "Bob", ("ops",))
    assert (grant.issued_at_s, grant.expires_at_s, grant.key_id) == (NOW_S, NOW_S + 60, "server")


def test_a_minted_token_has_the_form_that_older_clients_know() -> None:
    head, payload, _ = minted().split(".")

    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "EdDSA", "typ": "JWT", "kid": "server"}
    assert json.loads(base64.urlsafe_b64decode(payload + "==")) == {"scopes": ["sub:a"], "aud": URL, "iat": NOW_S}


def test_a_token_over_the_length_limit_is_not_minted() -> None:
    with pytest.raises(Invalid, match=str(MAX_TOKEN)):
        minted(groups=tuple("g" * 250 for _ in range(20)))


def test_a_token_ends_at_its_expiry_and_not_before() -> None:
    token = minted(expires_in_s=60)

    assert read(token, NOW_S + 59.9).subject is None
    assert read(token, NOW_S + 62, leeway_s=3).subject is None
    with pytest.raises(Unauthorized):
        read(token, NOW_S + 60)


def test_without_expiry_a_token_lasts() -> None:
    assert read(minted(), NOW_S + 10**9).expires_at_s is None


def test_both_names_of_the_algorithm_are_read() -> None:
    assert read(forge({"scopes": ["admin"]}, alg="Ed25519")).is_admin
    assert read(forge({"scopes": ["admin"]}, alg="EdDSA", typ=None)).is_admin


@pytest.mark.parametrize("audience", [None, URL, [URL], ["https://other.example", URL]])
def test_a_token_for_this_server_or_for_none_is_taken(audience: Any) -> None:
    payload = {"scopes": ["admin"]} | ({} if audience is None else {"aud": audience})

    assert read(forge(payload)).is_admin


@pytest.mark.parametrize(
    ("payload", "scopes"),
    [
        ({"scopes": ["pub:a", "openid"]}, ["pub:a"]),
        ({"scopes": []}, []),
        ({"scopes": [], "scope": "admin"}, []),
        ({OLD_CLAIM: ["sub:a"], "scope": "admin"}, ["sub:a"]),
        ({OLD_CLAIM: [], "scope": "admin"}, []),
        ({"scopes": ["pub:b"], OLD_CLAIM: ["admin"]}, ["pub:b"]),
        ({"scope": "admin"}, ["admin"]),
        ({"scope": "publish", "channels": ["a", "b"]}, ["pub:a", "pub:b"]),
        ({"scope": "publish", "channels": []}, []),
        ({"scope": "subscribe", "channel": "a"}, ["sub:a"]),
        ({"scope": "publish"}, ["pub:*"]),
        ({"scope": "subscribe"}, ["sub:*"]),
        ({"scope": "publish", "channel": "a.*"}, []),
        ({"scope": "openid profile"}, []),
        ({}, []),
    ],
)
def test_every_form_of_scopes_is_normalised(payload: dict[str, Any], scopes: list[str]) -> None:
    assert claims_of(payload) == {"scopes": scopes}


def test_claims_are_told_without_the_absent_ones() -> None:
    full = {"scopes": ["sub:a"], "iat": NOW_S, "sub": "bob", "name": "Bob", "groups": ["x"], "exp": NOW_S + 9}

    assert claims_of(full | {"aud": URL, "jti": "7"}) == full
    assert claims_of({"scopes": ["sub:a"], "sub": "", "groups": []}) == {"scopes": ["sub:a"]}


def test_the_principal_is_the_subject_where_there_is_one_and_else_the_token() -> None:
    first, second = forge({"scopes": [], "sub": "bob"}), forge({"scopes": ["sub:a"], "sub": "bob"})
    nameless, other = forge({"scopes": []}), forge({"scopes": ["sub:a"]})

    assert read(first).principal == read(second).principal == "server bob"
    assert read(nameless).principal == read(nameless).principal != read(other).principal


def test_a_mint_request_is_read() -> None:
    body = {"scopes": ["pub:a", "pub:a"], "sub": "s", "name": "n", "groups": ["g"], "expires_in": "5m", "other": 1}

    assert parse_mint(body) == MintRequest(("pub:a",), "s", "n", ("g",), 300)
    assert parse_mint({"scopes": ["admin"]}) == MintRequest(("admin",))


@pytest.mark.parametrize(
    "change",
    each("scopes", [], None, "admin", ["pub:"], [1], ["read:x"], {"a": 1}, ["admin"] * 65)
    + each("expires_in", "", "0s", 60, True, None, "60", [])
    + each("sub", "system-x", 1, "a" * 257, "a\nb", ["a"], "\x00")
    + each("name", 1, "a" * 257, "a\rb")
    + each("groups", "g", [1], ["g"] * 65, ["a\nb"], {}),
)
def test_a_bad_mint_request_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        parse_mint({"scopes": ["sub:a"]} | change)


@pytest.mark.parametrize("body", [None, [], "x", 1])
def test_a_mint_request_is_an_object(body: Any) -> None:
    with pytest.raises(Invalid):
        parse_mint(body)
