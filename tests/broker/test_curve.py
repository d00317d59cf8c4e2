"""Public keys: which 43 characters are a key that can be trusted."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from broker.curve import parse_public_key
from broker.errors import Invalid
from tests.broker.forge import SERVER, b64

PRIME = 2**255 - 19
ORDER_EIGHT = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"


def encoded(y: int, sign: int = 0) -> str:
    return b64((y | sign << 255).to_bytes(32, "little"))


@given(st.binary(min_size=32, max_size=32))
def test_every_real_public_key_is_taken(seed: bytes) -> None:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key()

    assert parse_public_key(b64(public.public_bytes(Encoding.Raw, PublicFormat.Raw))).curve_name == "Ed25519"


@pytest.mark.parametrize(
    "x",
    [
        encoded(0),
        encoded(0, 1),
        encoded(1),
        encoded(1, 1),
        encoded(PRIME - 1),
        encoded(PRIME),
        encoded(PRIME + 1),
        encoded(2**255 - 1),
        encoded(2),
        b64(bytes.fromhex(ORDER_EIGHT)),
    ],
)
def test_points_off_the_curve_or_of_small_order_are_refused(x: str) -> None:
    with pytest.raises(Invalid, match="not a usable"):
        parse_public_key(x)


@pytest.mark.parametrize(
    "x",
    [
        None,
        1,
        "",
        [],
        SERVER.raw,
        b64(SERVER.raw[:31]),
        b64(SERVER.raw + b"a"),
        SERVER.x + "=",
        SERVER.x + "\n",
        SERVER.x[:-1] + "B",
        "+/" + SERVER.x[2:],
        b64(b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00" + SERVER.raw),
    ],
)
def test_another_spelling_of_a_key_is_refused(x: Any) -> None:
    with pytest.raises(Invalid, match="43 characters"):
        parse_public_key(x)
