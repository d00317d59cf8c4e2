"""Which URLs can be subscribed to."""

from ipaddress import IPv4Network

import pytest

from broker.addresses import Network
from broker.errors import Invalid
from handlers.calendar.imports.wire import check_feed, parse_subscription_patch

OPEN: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv4Network("10.0.0.0/8"))


@pytest.mark.parametrize(
    ("url", "allow"),
    [
        ("https://feeds.example.com/a.ics?token=x", ()),
        ("https://feeds.example.com/", OPEN),
        ("http://127.0.0.1:8080/a.ics", OPEN),
        ("http://10.0.0.7/a.ics", OPEN),
        ("http://localhost:8080/a.ics", OPEN),
    ],
)
def test_public_https_may_be_and_what_the_configuration_opened(url: str, allow: tuple[Network, ...]) -> None:
    assert check_feed(url, allow) == url


@pytest.mark.parametrize(
    ("url", "allow"),
    [
        ("http://feeds.example.com/a.ics", ()),
        ("http://feeds.example.com/a.ics", OPEN),
        ("http://8.8.8.8/a.ics", OPEN),
        ("https://127.0.0.1/a.ics", ()),
        ("https://192.168.0.1/a.ics", OPEN),
        ("https://[::1]/a.ics", OPEN),
        ("webcal://feeds.example.com/a.ics", ()),
        ("https://", ()),
        ("", ()),
    ],
)
def test_all_else_is_refused_by_name(url: str, allow: tuple[Network, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        check_feed(url, allow)
    assert refused.value.extra["param"] == "url"


def test_a_change_of_nothing_is_refused() -> None:
    with pytest.raises(Invalid, match="At least one member"):
        parse_subscription_patch({"x": 1}, ())
    assert parse_subscription_patch({"label": None}, ()).model_fields_set == {"label"}
