"""What of a request may be an API key."""

import pytest

from handlers.api_key_loading import credentials_of


@pytest.mark.parametrize(
    ("headers", "query", "found"),
    [
        ([], b"", []),
        ([(b"authorization", b"Bearer a")], b"token=b", ["a"]),
        ([], b"token=b", ["b"]),
        ([], b"%74oken=%62", ["b"]),
        ([], b"a=%62", []),
        ([(b"authorization", b"Basic a")], b"token=b", []),
        ([(b"authorization", b"Bearer a"), (b"x-api-key", b"c")], b"", ["a", "c"]),
        ([(b"authorization", b"Bearer a"), (b"x-api-key", b"a")], b"", ["a"]),
    ],
)
def test_it_is_what_a_request_shows_to_say_who_sends_it(
    headers: list[tuple[bytes, bytes]], query: bytes, found: list[str]
) -> None:
    assert credentials_of({"type": "http", "headers": headers, "query_string": query}) == found
