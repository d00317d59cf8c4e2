"""Stream keys, tokens, grants, passwords and signed URLs: how they look, and what is kept of them."""

import base64
import hashlib
import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from handlers.live import credentials
from handlers.live.live_event import Visibility
from handlers.live.machine import Status
from handlers.live.passwords import hash_password, is_password
from handlers.live.playback import Playback, live_playback
from tests.handlers.live.events import recorded_event

NOW_MS = 1_800_000_000_000
BAD = ["", "sk_", "sk_0x" + "A" * 43, "sk_00" + "A" * 42, "00" + "A" * 23, "sk_00" + "/" * 43]


def test_a_stream_key_and_its_public_name_tell_their_partition_and_nothing_of_each_other() -> None:
    text, kept = credentials.make_stream_key(7, b"k" * 32, b"s" * 16)
    assert credentials.partition_of(text) == credentials.partition_of(kept.stream) == 7
    assert kept.digest == credentials.digest_of(text) and text.startswith(kept.prefix)
    assert text not in str(kept) and kept.stream not in text


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_key_has_no_partition(text: str) -> None:
    assert credentials.partition_of(text) is None


def test_each_credential_says_what_it_is() -> None:
    assert re.fullmatch(r"wt_[\w-]{32}", credentials.make_token(b"t" * 24))
    assert re.fullmatch(r"ag_[\w-]{43}", credentials.make_grant(b"g" * 32))
    assert credentials.masked("sk_00abcd") == "sk_00abcd..."


def test_a_password_is_known_by_what_is_kept_of_it_and_no_other_is() -> None:
    kept = hash_password("s3cret ü", b"x" * 16)
    assert kept.startswith("$argon2id$") and "s3cret" not in kept
    assert is_password("s3cret ü", kept)
    for other in ("", "s3cret", "S3cret ü", "s3cret ü "):
        assert not is_password(other, kept)
    assert hash_password("s3cret ü", b"y" * 16) != kept


def test_the_url_of_a_gated_event_is_signed_as_nginx_checks_it() -> None:
    playback = Playback("https://media.example", "secret", 60)
    event = replace(recorded_event(None, Status.LIVE), visibility=Visibility.TOKEN)
    event = replace(event, sessions=(replace(event.sessions[0], ended_ms=None),))
    found = live_playback(event, NOW_MS, playback)
    assert found is not None
    url = urlsplit(found["url"])
    query = parse_qs(url.query)
    digest = hashlib.md5(f"{NOW_MS // 1000 + 60}{url.path} secret".encode(), usedforsecurity=False).digest()
    assert query == {
        "md5": [base64.urlsafe_b64encode(digest).rstrip(b"=").decode()],
        "expires": [str(NOW_MS // 1000 + 60)],
    }
    public = live_playback(replace(event, visibility=Visibility.PUBLIC), NOW_MS, playback)
    assert public is not None and "?" not in public["url"]
