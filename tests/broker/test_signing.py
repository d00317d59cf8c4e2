"""The server's own key in its spellings. Vectors: RFC 8032 section 7.1 test 1, RFC 8037 appendices A.1 to A.3."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from joserfc.jwk import ECKey, OKPKey

from broker.errors import Invalid
from broker.signing import SigningKey

RFC_8037 = {
    "kty": "OKP",
    "crv": "Ed25519",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
RFC_8032_SIGNATURE_OF_NOTHING = (
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)


@pytest.fixture
def key() -> SigningKey:
    return SigningKey.from_jwk(RFC_8037)


def test_the_key_id_is_the_thumbprint_of_rfc_7638(key: SigningKey) -> None:
    assert key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_signature_is_that_of_rfc_8032(key: SigningKey) -> None:
    assert key.sign(b"").hex() == RFC_8032_SIGNATURE_OF_NOTHING


def test_the_published_jwk_has_no_secret(key: SigningKey) -> None:
    assert key.jwk() == {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": RFC_8037["x"],
        "kid": key.kid,
        "alg": "EdDSA",
        "use": "sig",
    }


def test_the_spki_is_44_bytes_that_verify_a_signature(key: SigningKey) -> None:
    der = base64.urlsafe_b64decode(key.public_spki + "=")
    public_key = load_der_public_key(der)
    assert len(der) == 44 and isinstance(public_key, Ed25519PublicKey)
    public_key.verify(key.sign(b"text"), b"text")


def test_the_private_jwk_reads_back_as_the_same_key(key: SigningKey) -> None:
    assert key.private_jwk() == RFC_8037


def test_the_secret_is_not_in_its_repr(key: SigningKey) -> None:
    assert RFC_8037["d"] not in repr(key)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"kty": "OKP"},
        {name: RFC_8037[name] for name in ("kty", "crv", "x")},
        RFC_8037 | {"x": "A" * 43},
        RFC_8037 | {"d": "AAAA"},
        RFC_8037 | {"d": 7},
        ECKey.generate_key("P-256").as_dict(private=True),
        OKPKey.generate_key("X25519").as_dict(private=True),
    ],
)
def test_what_is_not_a_private_ed25519_key_is_refused(document: object) -> None:
    with pytest.raises(Invalid):
        SigningKey.from_jwk(document)
