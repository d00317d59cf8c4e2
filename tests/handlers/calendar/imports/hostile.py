"""Feeds that were made to hurt, each with a word of what is said of it; sizes are what costs, not what fits."""

from tests.handlers.calendar.imports.feeds import calendar, event

_RULE = "DTSTART:20200101T000000Z"
_LATE = "DTSTART:20260401T000000Z"


def ruled(rule: str, start: str = _RULE) -> bytes:
    """A feed with this rule."""
    return calendar(event("x", start, f"RRULE:{rule}"))


MANY = ",".join(map(str, range(60)))

HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no iCalendar file"),
    "garbage bytes": (b"\x00\xff\xfe\x80" * 4_096, "no iCalendar file"),
    "a web page": (b"<html><body>Sign in</body></html>", "no iCalendar file"),
    "json": (b'{"error": "no"}', "no iCalendar file"),
    "an occurrence each hour": (ruled("FREQ=HOURLY;COUNT=3000", _LATE), "more than 2000 occurrences"),
    "seconds by parts": (
        ruled(f"FREQ=YEARLY;COUNT=3600;BYHOUR=9;BYMINUTE={MANY};BYSECOND={MANY}", _LATE),
        "more than 2000 occurrences",
    ),
    "nothing but beginnings": (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 5_000, "no iCalendar file"),
    "more events than may be": (
        calendar(*(event(str(number), "DTSTART:20260401T000000Z", "RRULE:FREQ=DAILY") for number in range(20))),
        "more than 2000 occurrences",
    ),
    "texts over and over": (
        calendar(event("x", _RULE, "DTEND:20200101T010000Z", "RRULE:FREQ=DAILY", f"DESCRIPTION:{'x' * 8_192}"))
        + calendar(*(event(f"y{number}", _RULE, "RRULE:FREQ=DAILY", f"DESCRIPTION:{'x' * 8_192}") for number in "12")),
        "over 4 MB",
    ),
}
"""What ends with an error."""

LEFT_OUT: dict[str, bytes] = {
    "a rule with a count that no machine holds": ruled("FREQ=DAILY;COUNT=99999999999999999999"),
    "a duration beyond all time": calendar(event("x", _RULE, "DURATION:P99999999999W")),
    "no start": calendar("BEGIN:VEVENT\r\nUID:x\r\nSUMMARY:s\r\nEND:VEVENT"),
    "a zone that nobody knows": calendar(event("x", "DTSTART;TZID=Middle/Earth:20260401T100000")),
}
"""What costs the one event that it is of, and is said."""

HARMLESS: dict[str, bytes] = {
    "a parameter 10,000 times": calendar(event("x", _RULE, "X-A" + ';P="a"' * 10_000 + ":x")),
    "a parameter with 50,000 values": calendar(event("x", _RULE, "X-A;P=" + ",".join("a" * 50_000) + ":x")),
    "a line folded 100,000 times": calendar(event("x", _RULE, "DESCRIPTION:" + "\r\n x" * 100_000)),
    "a date that never comes": ruled("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
    "a rule with nothing in it": ruled(""),
    "the last day of all": calendar(event("x", "DTSTART:99991231T235959Z", "RRULE:FREQ=DAILY")),
}
"""What is read, and has nothing in these days."""
