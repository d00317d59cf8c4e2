"""Forged, broken and misleading tokens: each is Unauthorized with the one text, and never anything else."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broker.errors import Unauthorized
from broker.tokens import MAX_TOKEN, read_token
from broker.trust import TrustedKey, add_key, parse_key, trusted_from
from tests.broker.forge import NOW_S, SERVER, STRANGER, b64, forge, forge_hs256, key_of, segment

PARTNER = key_of("partner", 3)
ADMIN = {"scopes": ["admin"]}
READ = {"scopes": ["sub:a"], "iss": "acme"}
GOOD = forge(ADMIN)
HEAD, PAYLOAD, SIGNATURE = GOOD.split(".")
PRIVATE_JWK = {"kty": "OKP", "crv": "Ed25519", "x": STRANGER.x}


def keys() -> dict[str, TrustedKey]:
    partner = parse_key({"kid": "partner", "x": PARTNER.x, "issuer": "acme"})
    return {"server": SERVER.trusted} | trusted_from(add_key([], partner, "2026-01-01T00:00:00Z", "server"))


KEYS = keys()


def read(token: str) -> Any:
    return read_token(token, KEYS, audiences=["https://broker.example"], now_s=NOW_S)


def unsigned(alg: Any) -> str:
    return f"{segment({'alg': alg, 'typ': 'JWT', 'kid': 'server'})}.{segment(ADMIN)}."


def flipped(text: str, index: int) -> str:
    return text[:index] + ("A" if text[index] != "A" else "B") + text[index + 1 :]


ALGORITHMS = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg none with a signature": forge(ADMIN, alg="none"),
    "alg empty": forge(ADMIN, alg=""),
    "no alg": forge(ADMIN, alg=None),
    "alg a number": forge(ADMIN, alg=1),
    "alg a list": forge(ADMIN, alg=["EdDSA"]),
    "alg in lower case": forge(ADMIN, alg="eddsa"),
    "alg Ed448": forge(ADMIN, alg="Ed448"),
    "alg ES256": forge(ADMIN, alg="ES256"),
    "alg RS256": forge(ADMIN, alg="RS256"),
    "alg HS256 over an Ed25519 signature": forge(ADMIN, alg="HS256"),
    "HS256 with the raw public key": forge_hs256(ADMIN, SERVER.raw),
    "HS256 with the key's text": forge_hs256(ADMIN, SERVER.x.encode()),
    "HS256 with an empty secret": forge_hs256(ADMIN, b""),
    "HS256 without kid": forge_hs256(ADMIN, SERVER.raw, kid=None),
}
KEY_CHOICE = {
    "unknown kid": forge(ADMIN, STRANGER),
    "another's signature under our kid": forge(ADMIN, STRANGER, kid="server"),
    "the partner's signature under our kid": forge(ADMIN, PARTNER, kid="server"),
    "no kid": forge(ADMIN, kid=None),
    "kid null": forge(ADMIN, header={"alg": "EdDSA", "kid": None}),
    "kid a number": forge(ADMIN, kid=1),
    "kid a list": forge(ADMIN, kid=["server"]),
    "kid an object": forge(ADMIN, kid={"server": 1}),
    "kid in another case": forge(ADMIN, kid="Server"),
    "kid with NUL": forge(ADMIN, kid="server\x00"),
    "kid a path": forge(ADMIN, kid="../../server"),
    "kid a query": forge(ADMIN, kid="x' UNION SELECT 'server"),
    "kid an attribute": forge(ADMIN, kid="__class__"),
    "a key in the header": forge(ADMIN, STRANGER, kid="server", jwk=PRIVATE_JWK),
    "a key in the header without kid": forge(ADMIN, STRANGER, kid=None, jwk=PRIVATE_JWK),
    "our own key in the header": forge(ADMIN, jwk={"kty": "OKP", "crv": "Ed25519", "x": SERVER.x}),
    "jku": forge(ADMIN, jku="http://127.0.0.1:9/keys"),
    "x5u": forge(ADMIN, x5u="http://127.0.0.1:9/cert"),
    "x5c": forge(ADMIN, x5c=["AAAA"]),
    "crit of nothing": forge(ADMIN, crit=[]),
    "crit exp": forge(ADMIN, crit=["exp"], exp=1),
    "crit b64": forge(ADMIN, crit=["b64"], b64=False),
    "b64 false": forge(ADMIN, b64=False),
    "an unknown header member": forge(ADMIN, zip="DEF"),
    "a nested token": forge(GOOD.encode(), cty="JWT"),
    "another type": forge(ADMIN, typ="dpop+jwt"),
    "type a number": forge(ADMIN, typ=5),
}
FORM = {
    "empty": "",
    "a blank": " ",
    "one part": HEAD,
    "two parts": f"{HEAD}.{PAYLOAD}",
    "four parts": f"{GOOD}.{SIGNATURE}",
    "five parts": f"{HEAD}.{PAYLOAD}.{PAYLOAD}.{SIGNATURE}.{SIGNATURE}",
    "dots": "..",
    "many dots": "." * 5_000,
    "a trailing dot": f"{GOOD}.",
    "a leading dot": f".{GOOD}",
    "a leading blank": f" {GOOD}",
    "a trailing newline": f"{GOOD}\n",
    "a blank within": f"{HEAD}. {PAYLOAD}.{SIGNATURE}",
    "NUL at the end": f"{GOOD}\x00",
    "padding": f"{HEAD}.{PAYLOAD}.{SIGNATURE}==",
    "standard base64": f"{HEAD}.{PAYLOAD}.{'+/' + SIGNATURE[2:]}",
    "a loose last character": f"{HEAD}.{PAYLOAD}.{SIGNATURE[:-1]}{chr(ord(SIGNATURE[-1]) + 1)}",
    "an impossible length": f"{HEAD}.{PAYLOAD}A.{SIGNATURE}",
    "a short signature": f"{HEAD}.{PAYLOAD}.{SIGNATURE[:-4]}",
    "a long signature": f"{HEAD}.{PAYLOAD}.{SIGNATURE}AAAA",
    "no signature": f"{HEAD}.{PAYLOAD}.",
    "a signature of zeros": f"{HEAD}.{PAYLOAD}.{'A' * 86}",
    "no payload": f"{HEAD}..{SIGNATURE}",
    "no header": f".{PAYLOAD}.{SIGNATURE}",
    "a changed header": f"{flipped(HEAD, 5)}.{PAYLOAD}.{SIGNATURE}",
    "a changed payload": f"{HEAD}.{flipped(PAYLOAD, 4)}.{SIGNATURE}",
    "another payload": f"{HEAD}.{segment({'scopes': ['admin'], 'sub': 'root'})}.{SIGNATURE}",
    "a changed signature": f"{HEAD}.{PAYLOAD}.{flipped(SIGNATURE, 10)}",
    "parts in another order": f"{PAYLOAD}.{HEAD}.{SIGNATURE}",
    "full width letters": GOOD.replace("e", "\uff45"),
    "a lone surrogate": f"{HEAD}.\ud800.{SIGNATURE}",
    "emoji": "🔑.🔑.🔑",
    "huge": f"{HEAD}.{'A' * 1_000_000}.{SIGNATURE}",
    "signed, but too long": forge(ADMIN | {"pad": "x" * MAX_TOKEN}),
    "a JSON serialisation": '{"payload":"","signatures":[]}',
    "the word Bearer before it": f"Bearer {GOOD}",
    "header not JSON": forge(ADMIN, header=b"EdDSA"),
    "header a list": forge(ADMIN, header=["EdDSA", "server"]),
    "header a text": forge(ADMIN, header="EdDSA"),
    "header null": forge(ADMIN, header=b"null"),
    "header empty": forge(ADMIN, header={}),
    "header nested deep": forge(ADMIN, header=b"[" * 1_400 + b"]" * 1_400),
    "header not UTF-8": forge(ADMIN, header=b'{"alg":"EdDSA","kid":"server\xff"}'),
    "header with a byte order mark": forge(ADMIN, header=b'\xef\xbb\xbf{"alg":"EdDSA","kid":"server"}'),
    "payload not JSON": forge(b"admin"),
    "payload a list": forge(["admin"]),
    "payload a number": forge(1),
    "payload null": forge(None),
    "payload NaN": forge(b'{"scopes":["admin"],"exp":NaN}'),
    "payload nested deep": forge(b'{"scopes":["admin"],"a":' + b"[" * 1_200 + b"]" * 1_200 + b"}"),
    "payload with a huge number": forge(b'{"scopes":["admin"],"exp":' + b"9" * 500 + b"}"),
    "payload not UTF-8": forge(b'{"scopes":["admin"],"sub":"\xff"}'),
    "payload with a surrogate": forge(b'{"scopes":["admin"],"sub":"\\ud800"}'),
}
CLAIMS = {
    f"{claim} = {value!r:.30}": forge(ADMIN | {claim: value})
    for claim, values in {
        "exp": [NOW_S, NOW_S - 1, NOW_S - 10**9, 0, -1, str(NOW_S + 60), None, True, [NOW_S + 60], {}, 1e300, 2**64],
        "nbf": [NOW_S + 1, NOW_S + 10**6, str(NOW_S), None, False, -5],
        "iat": [NOW_S + 3_600, str(NOW_S), None, True, [], 1e20],
        "aud": ["https://other.example", "", "https://broker.example/", ["https://other.example"], [], 1, {}, [1]],
        "scopes": ["admin", {"admin": True}, [1], [["admin"]], [None], True, 1, ["admin", 7]],
        "sub": ["system-auth", "system-", 1, True, ["a"], {}, "a" * 257, "a\nb", "a\x00"],
        "name": [1, [], "a\r\nb", "a" * 257, {"first": "a"}],
        "groups": ["admin", [1], {"a": 1}, True, ["a\nb"]],
    }.items()
    for value in values
} | {
    "old scope a list": forge({"scope": ["admin"]}),
    "old channels a text": forge({"scope": "publish", "channels": "a"}),
    "old channel a number": forge({"scope": "publish", "channel": 1}),
    "foreign scopes a text": forge({"https://zooid.dev/scopes": "admin"}),
}
CEILING = {
    "admin by a partner": forge(READ | ADMIN, PARTNER),
    "publishing by a partner": forge(READ | {"scopes": ["pub:a"]}, PARTNER),
    "one scope too many": forge(READ | {"scopes": ["sub:a", "pub:a"]}, PARTNER),
    "a reserved channel by a star": forge(READ | {"scopes": ["sub:live-*"]}, PARTNER),
    "old admin by a partner": forge({"iss": "acme", "scope": "admin"}, PARTNER),
    "no issuer": forge({"scopes": ["sub:a"]}, PARTNER),
    "another issuer": forge(READ | {"iss": "acme2"}, PARTNER),
    "issuer a list": forge(READ | {"iss": ["acme"]}, PARTNER),
    "issuer null": forge(READ | {"iss": None}, PARTNER),
}
BAD = ALGORITHMS | KEY_CHOICE | FORM | CLAIMS | CEILING


def test_the_good_tokens_of_this_table_are_good() -> None:
    assert read(GOOD).is_admin
    assert read(forge(READ | {"sub": "bob"}, PARTNER)).subject == "acme:bob"


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
def test_a_bad_token_is_unauthorized_with_the_one_text(token: str) -> None:
    with pytest.raises(Unauthorized) as refusal:
        read(token)

    assert (refusal.value.message, refusal.value.extra) == ("Invalid or expired token", {})


@given(st.text(max_size=300) | st.text("abcdefABC_-.=+/0", max_size=300))
@example("." * 2)
def test_arbitrary_text_is_unauthorized(text: str) -> None:
    with pytest.raises(Unauthorized):
        read(text)


@given(st.binary(max_size=120), st.binary(max_size=120), st.binary(min_size=64, max_size=64))
def test_arbitrary_parts_are_unauthorized(head: bytes, payload: bytes, signature: bytes) -> None:
    with pytest.raises(Unauthorized):
        read(f"{b64(head)}.{b64(payload)}.{b64(signature)}")


@given(st.integers(0, len(GOOD) - 1), st.characters(codec="ascii"))
def test_no_change_of_a_single_character_is_accepted(index: int, character: str) -> None:
    changed = GOOD[:index] + character + GOOD[index + 1 :]
    if changed != GOOD:
        with pytest.raises(Unauthorized):
            read(changed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
CLAIM_NAMES = st.sampled_from(
    ["scopes", "scope", "channels", "exp", "nbf", "iat", "aud", "sub", "name", "groups", "iss"]
)


@given(JSON | st.dictionaries(CLAIM_NAMES, JSON))
def test_any_signed_payload_gives_a_grant_or_is_unauthorized(payload: Any) -> None:
    try:
        grant = read(forge(payload))
    except Unauthorized:
        return
    assert not (grant.subject or "").startswith("system-")


@given(JSON | st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "b64"]), JSON))
def test_any_other_header_is_unauthorized(header: Any) -> None:
    with pytest.raises(Unauthorized):
        read(forge(ADMIN, header=json.dumps(header).encode()))
