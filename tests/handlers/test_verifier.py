"""The verifier: which credential counts, what is remembered, and for how long."""

import pytest

from broker.errors import Unauthorized
from broker.scopes import Grant
from broker.trust import Document, TrustedKey, add_key, parse_key, trusted_from
from handlers.verifier import Verifier, credential
from tests.broker.forge import NOW_S, SERVER, STRANGER, forge, key_of

PARTNER = key_of("partner", 3)
TOKEN = forge({"scopes": ["sub:a"], "sub": "bob", "exp": NOW_S + 100})
LASTING = forge({"scopes": ["admin"]})


class Clock:
    """A time that only moves when it is told."""

    def __init__(self) -> None:
        self.now_s: float = NOW_S

    def __call__(self) -> float:
        return self.now_s


def keys(
    x: str = PARTNER.x, max_scopes: tuple[str, ...] = ("sub:*",), issuer: str | None = None
) -> dict[str, TrustedKey]:
    document: Document = []
    new = parse_key({"kid": "partner", "x": x, "max_scopes": list(max_scopes), "issuer": issuer})
    return {"server": SERVER.trusted} | trusted_from(add_key(document, new, "2026-01-01T00:00:00Z", "server"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(clock: Clock) -> Verifier:
    return Verifier(keys(), audiences=["https://broker.example"], now_s=clock, max_entries=3)


def grant_by_partner(verifier: Verifier) -> Grant:
    return verifier.grant_of(forge({"scopes": ["sub:a"]}, PARTNER))


def test_the_header_wins_over_the_query() -> None:
    assert credential("Bearer abc", "def") == "abc"
    assert credential("bearer  abc ", None) == "abc"
    assert credential(None, "def") == "def"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "abc", "Basic YTpi", "Bearer a b", "Bearerabc"])
def test_without_a_credential_the_caller_is_told_so(header: str | None) -> None:
    with pytest.raises(Unauthorized, match=r"^Missing or invalid Authorization header$"):
        credential(header, "" if header is None else "def")


def test_a_good_credential_is_granted_at_both_places(verifier: Verifier) -> None:
    assert verifier.grant(f"Bearer {TOKEN}").subject == "bob"
    assert verifier.grant(None, TOKEN).subject == "bob"


@pytest.mark.parametrize("token", ["x", "a.b.c", forge({"scopes": ["admin"]}, STRANGER), "x" * 10**6, "é", "\udcff"])
def test_a_bad_credential_is_unauthorized(verifier: Verifier, token: str) -> None:
    with pytest.raises(Unauthorized, match=r"^Invalid or expired token$"):
        verifier.grant(None, token)


def test_a_verified_token_is_remembered(verifier: Verifier) -> None:
    assert verifier.grant_of(TOKEN) is verifier.grant_of(TOKEN)


def test_a_remembered_token_is_verified_again_after_a_minute(verifier: Verifier, clock: Clock) -> None:
    first = verifier.grant_of(LASTING)
    clock.now_s += 60

    assert verifier.grant_of(LASTING) is not first


def test_a_remembered_token_ends_at_its_expiry(verifier: Verifier, clock: Clock) -> None:
    clock.now_s += 95
    verifier.grant_of(TOKEN)
    clock.now_s += 5

    with pytest.raises(Unauthorized):
        verifier.grant_of(TOKEN)


def test_the_memory_is_bounded_and_forgets_the_oldest(verifier: Verifier) -> None:
    first = verifier.grant_of(TOKEN)
    others = [verifier.grant_of(forge({"scopes": [f"sub:c{n}"]})) for n in range(3)]

    assert verifier.grant_of(forge({"scopes": ["sub:c2"]})) is others[2]
    assert verifier.grant_of(TOKEN) is not first


def test_a_removed_key_ends_its_remembered_tokens_at_once(verifier: Verifier) -> None:
    grant_by_partner(verifier)
    verifier.replace_keys({"server": SERVER.trusted})

    with pytest.raises(Unauthorized):
        grant_by_partner(verifier)


def test_an_open_socket_notices_expiry(verifier: Verifier) -> None:
    grant = verifier.grant_of(TOKEN)

    assert verifier.still_good(grant, NOW_S + 99.9)
    assert not verifier.still_good(grant, NOW_S + 100)
    assert verifier.still_good(verifier.grant_of(LASTING), NOW_S + 10**9)


@pytest.mark.parametrize(
    "changed",
    [{"server": SERVER.trusted}, keys(x=STRANGER.x), keys(max_scopes=("sub:b",)), keys(issuer="acme")],
    ids=["gone", "x", "ceiling", "issuer"],
)
def test_an_open_socket_notices_that_its_key_changed(verifier: Verifier, changed: dict[str, TrustedKey]) -> None:
    partner, server = grant_by_partner(verifier), verifier.grant_of(LASTING)
    verifier.replace_keys(changed)

    assert not verifier.still_good(partner, NOW_S)
    assert verifier.still_good(server, NOW_S)


def test_an_open_socket_stays_when_another_key_is_added(verifier: Verifier) -> None:
    grant = grant_by_partner(verifier)
    verifier.replace_keys(keys() | {"second": STRANGER.trusted})

    assert verifier.still_good(grant, NOW_S)


def test_claims_are_told_of_a_good_token_only(verifier: Verifier) -> None:
    assert verifier.claims_of(TOKEN) == {"scopes": ["sub:a"], "sub": "bob", "exp": NOW_S + 100}
    with pytest.raises(Unauthorized):
        verifier.claims_of("x.y.z")


def test_a_leeway_lengthens_every_answer_alike(clock: Clock) -> None:
    verifier = Verifier(keys(), audiences=[], now_s=clock, leeway_s=5)
    clock.now_s += 104

    assert verifier.still_good(verifier.grant_of(TOKEN), clock.now_s)
    assert verifier.still_good(verifier.grant_of(TOKEN), clock.now_s + 1) is False
