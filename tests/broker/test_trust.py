"""Trusted keys: adding, removing, ceilings and issuers."""

import json
from typing import Any

import pytest

from broker.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from broker.scopes import Grant
from broker.tokens import read_token
from broker.trust import MAX_KEYS, Document, add_key, check_signer, own_key, parse_key, remove_key, trusted_from
from tests.broker.forge import NOW_S, SERVER, STRANGER, forge, key_of

AT = "2026-11-24T12:00:00.000Z"


def added(document: Document, kid: str = "partner", **members: Any) -> Document:
    return add_key(document, parse_key({"kid": kid, "x": STRANGER.x} | members), AT, "server")


def each(name: str, *values: Any) -> list[dict[str, Any]]:
    """One change of a body for each of `values`."""
    return [{name: value} for value in values]


def test_a_key_is_kept_in_the_form_that_is_shown() -> None:
    document = added([], max_scopes=["sub:a-*", "pub:b"], issuer="https://acme.example", kty="OKP", extra=1)

    assert json.loads(json.dumps(document)) == [
        {
            "kid": "partner",
            "kty": "OKP",
            "crv": "Ed25519",
            "x": STRANGER.x,
            "max_scopes": ["sub:a-*", "pub:b"],
            "issuer": "https://acme.example",
            "jwks_url": None,
            "created_at": AT,
        }
    ]


def test_without_a_ceiling_a_key_may_only_let_read() -> None:
    (row,) = added([], max_scopes=None)
    key = trusted_from([row])["partner"]

    assert row["max_scopes"] == ["sub:*"]
    assert key.may_grant(["sub:a", "sub:b-*"])
    assert not any(key.may_grant([scope]) for scope in ("pub:a", "admin", "sub:live-x"))


def test_an_empty_ceiling_lets_nothing_through() -> None:
    key = trusted_from(added([], max_scopes=[]))["partner"]

    assert key.may_grant([])
    assert not key.may_grant(["sub:a"])


def test_the_servers_own_key_has_no_ceiling_and_no_issuer() -> None:
    key = own_key("server", SERVER.x)

    assert key.may_grant(["admin", "pub:live-x"])
    assert key.publisher_id("bob") == "bob"


def test_an_issuer_stands_before_the_publisher() -> None:
    assert trusted_from(added([], issuer="acme"))["partner"].publisher_id("bob") == "acme:bob"


def test_a_key_is_added_once() -> None:
    document = added([])

    with pytest.raises(Conflict, match='Key "partner" already exists'):
        added(document)
    with pytest.raises(Conflict, match='Key "server" already exists'):
        added(document, kid="server")


def test_adding_leaves_the_former_document_as_it_was() -> None:
    before = added([])

    assert len(added(before, kid="second")) == 2
    assert len(before) == 1


def test_there_are_sixteen_keys_at_most() -> None:
    document: Document = []
    for index in range(MAX_KEYS):
        document = added(document, kid=f"key-{index}")

    with pytest.raises(Conflict, match="At most 16"):
        added(document)
    assert len(added(remove_key(document, "key-3", signed_by="server", own_kid="server"))) == MAX_KEYS


@pytest.mark.parametrize(("first", "second"), [("a", "a:b"), ("https://x:8443", "https://x")])
def test_issuers_whose_publishers_could_be_mistaken_are_refused(first: str, second: str) -> None:
    with pytest.raises(Conflict, match="issuer"):
        added(added([], issuer=first), kid="second", issuer=second)


@pytest.mark.parametrize(("first", "second"), [("a", "a"), ("a", "ab"), (None, "a"), ("a", None), (None, None)])
def test_issuers_that_can_be_told_apart_or_are_the_same_are_taken(first: Any, second: Any) -> None:
    assert len(added(added([], issuer=first), kid="second", issuer=second)) == 2


def test_a_removed_key_is_no_longer_trusted() -> None:
    document = added(added([]), kid="second")

    assert list(trusted_from(remove_key(document, "partner", signed_by="server", own_kid="server"))) == ["second"]


def test_what_cannot_be_removed() -> None:
    document = added([])

    with pytest.raises(Forbidden, match="Cannot revoke the key that signed this request"):
        remove_key(document, "partner", signed_by="partner", own_kid="server")
    with pytest.raises(Forbidden):
        remove_key(document, "server", signed_by="partner", own_kid="server")
    with pytest.raises(NotFound, match="Key not found"):
        remove_key(document, "unknown", signed_by="server", own_kid="server")


@pytest.mark.parametrize(
    "change",
    each("kid", None, "", ".", "..", "...", "a b", "a/b", "a#b", "a\x00", "é", "a" * 129, 1, ["a"])
    + each("kty", "RSA", None)
    + each("crv", "Ed448", "X25519")
    + each("max_scopes", "sub:*", ["sub:"], [1], {}, ["Admin"], ["sub:a"] * 65)
    + each("issuer", "", 1, "system-", "system-auth", "a\nb", "a" * 257, ["a"])
    + each("x", None, "", "AAAA"),
)
def test_a_bad_key_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        parse_key({"kid": "partner", "x": STRANGER.x} | change)


@pytest.mark.parametrize("kid", ["a.b", ".a", "..a", "a..", "https:@+=~-_", "x" * 128])
def test_a_kid_may_have_dots_but_not_only_dots(kid: str) -> None:
    """A client would take `/keys/..` for the parent, so a key of that name could never be removed."""
    assert parse_key({"kid": kid, "x": STRANGER.x}).kid == kid


def grant_by(document: Document, kid: str, seed: int = 2) -> Grant:
    keys = {"server": SERVER.trusted} | trusted_from(document)
    return read_token(forge({"scopes": []}, key_of(kid, seed)), keys, audiences=[], now_s=NOW_S)


def test_only_a_key_of_the_document_or_the_own_one_changes_the_document() -> None:
    document = added([])
    check_signer(document, grant_by(document, "partner"), "server")
    check_signer([], grant_by([], "server", 1), "server")

    with pytest.raises(Unauthorized):
        check_signer([], grant_by(document, "partner"), "server")


def test_a_key_that_was_replaced_under_its_id_changes_the_document_no_more() -> None:
    before = added([])
    after = added([], x=key_of("partner", 3).x)

    with pytest.raises(Unauthorized):
        check_signer(after, grant_by(before, "partner"), "server")


def test_a_key_to_fetch_is_refused_and_says_why() -> None:
    with pytest.raises(Invalid, match="keys are never fetched"):
        parse_key({"kid": "partner", "jwks_url": "https://acme.example/jwks"})
    assert parse_key({"kid": "partner", "x": STRANGER.x, "jwks_url": None}).kid == "partner"


@pytest.mark.parametrize("body", [None, [], "x", 1])
def test_the_body_is_an_object(body: Any) -> None:
    with pytest.raises(Invalid):
        parse_key(body)
