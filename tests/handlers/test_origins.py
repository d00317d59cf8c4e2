"""Which web pages may open sockets."""

import pytest

from handlers.broker import Site
from handlers.origins import is_allowed_origin


def allowed(origin: str | None, *, host: str = "tide.example:8000", public_url: str = "", origins: str = "") -> bool:
    site = Site(
        public_url=public_url,
        poll_interval_s=2,
        allowed_origins=tuple(origins.split()),
        anonymous_webhooks=True,
        outbound_allow=(),
        trusted_proxies=(),
        presence="readers",
        roles={},
    )
    return is_allowed_origin(site, {"host": host} | ({} if origin is None else {"origin": origin}))


@pytest.mark.parametrize(
    "origin",
    [None, "http://tide.example:8000", "https://tide.example:8000", "http://TIDE.example:8000"],
)
def test_who_is_no_browser_and_the_own_pages_may(origin: str | None) -> None:
    assert allowed(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://tide.example",
        "http://tide.example:8001",
        "http://tide.example:80000",
        "http://tide.example:8000.evil.example",
        "http://tide.example:8000@evil.example",
        "http://evil.example/tide.example:8000",
        "http://evil.example#tide.example:8000",
        "ftp://tide.example:8000",
        "tide.example:8000",
        "//tide.example:8000",
        "http://[::1",
        "http://[tide.example:8000",
        "http://[v1.x]:8000",
        "http://\u2100.example",
    ],
)
def test_all_others_may_not_whatever_they_look_like(origin: str) -> None:
    assert not allowed(origin)


def test_the_public_url_and_listed_origins_may() -> None:
    assert allowed("https://pub.example", public_url="https://pub.example/tide")
    assert not allowed("http://pub.example", public_url="https://pub.example/tide")
    assert allowed("https://app.example", origins="https://app.example https://b.example")
    assert not allowed("https://app.example.evil.example", origins="https://app.example")
    assert not allowed("https://app", origins="https://app.example")


@pytest.mark.parametrize("origin", ["null", "https://any.example", "http://[::1"])
def test_a_star_lets_everybody_in(origin: str) -> None:
    assert allowed(origin, origins="*")
