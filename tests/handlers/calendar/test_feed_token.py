"""Addresses of feeds: made anew each time, ended by a number, guessed by nobody."""

from dataclasses import replace

from handlers.calendar.calendars import Calendar
from handlers.calendar.feed_token import Feeds, parse_token

CALENDAR = Calendar("cal_0123456789abcd", "n", "UTC", 1, 1)
FEEDS = Feeds(b"s" * 32, "https://x.example")


def test_a_token_names_its_calendar_and_is_of_no_other_epoch_tenant_calendar_or_server() -> None:
    token = FEEDS.token("acme", CALENDAR)
    named = parse_token(token)
    assert named is not None and named[:2] == ("acme", CALENDAR.id) and FEEDS.is_of(named, CALENDAR)
    assert FEEDS.url("acme", CALENDAR) == f"https://x.example/ical/{token}.ics"
    assert not FEEDS.is_of(named, replace(CALENDAR, feed_epoch=1))
    assert not FEEDS.is_of(named, replace(CALENDAR, id="cal_0123456789abce"))
    assert not FEEDS.is_of(named._replace(tenant="rival"), CALENDAR)
    assert not Feeds(b"t" * 32, "").is_of(named, CALENDAR)


def test_what_is_no_token_names_nothing() -> None:
    token = FEEDS.token("acme", CALENDAR)
    for bad in ("", "a.b.c", token[:-1], token + "a", token.upper(), token + "\n", token.replace(".", "/", 1)):
        assert parse_token(bad) is None
