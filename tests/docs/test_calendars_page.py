"""docs/calendars.md tells the truth: its commands are typed into one shell, and lead to what the page says."""

import time
from pathlib import Path
from typing import Any

import pytest

from broker.events import Frame
from broker.ids import Position, render_ulid
from handlers.calendar.sent import headers_of
from handlers.calendar.webhook_models import EventName
from tests.docs.blocks import ROOT, Blocks, runs
from tests.docs.shells import answers, session

PAGE = (ROOT / "docs/calendars.md").read_text()


@pytest.mark.timeout(240)
@runs("docs/calendars.md", "sh")
def test_its_commands_do_what_it_says(tmp_path: Path, blocks: Blocks) -> None:
    with session(tmp_path) as page:
        _, made, confirmed, last, hook, feed, subscribed = page.all(blocks)
    assert answers(made)[0]["metadata"] == {"deal_id": "deal_789"}
    assert page.read("refused.json")["error"]["code"] == "hold_conflict"
    assert answers(confirmed)[0]["status"] == "confirmed"
    [endpoint] = answers(hook)
    assert endpoint["secret"].startswith("whsec_") and endpoint["active"] is True
    assert page.read("inactive.json")["active"] is False
    assert page.read("deliveries.json")["stats"] == {"pending": 0, "delivered": 0, "failed": 0}
    assert feed.startswith("BEGIN:VCALENDAR") and "SUMMARY:Strategy sync" in feed and "\n304\n" in feed
    assert subscribed.startswith('{"status":"syncing"}') and '"status":"paused"' in subscribed
    assert page.read("current.json")["availability_state"] == "partial"
    assert '"ical_url"' in feed.rpartition("\n304\n")[2]
    free, told = answers(last)
    assert [each["start"][11:16] for each in free["slots"]] == ["09:00", "11:00"]
    assert [each["type"] for each in told["events"]][-4:] == [
        *(f"calendar.hold.{each}" for each in ("created", "expired", "created", "confirmed"))
    ]


@runs("docs/calendars.md", "python")
def test_its_check_of_a_signature_takes_what_is_sent_and_nothing_else(blocks: Blocks) -> None:
    [check] = blocks
    own: dict[str, Any] = {}
    exec(check.text, own)  # noqa: S102 - a block of our own page
    place = Position(1, 0)
    frame = Frame(place, render_ulid("0" * 9, place), b'"calendar.event.created"', b"{}")
    now_ms = int(time.time() * 1000)
    headers = headers_of("whsec_x", "whk_1", frame, b'{"a":1}', now_ms)
    old = headers_of("whsec_x", "whk_1", frame, b'{"a":1}', now_ms - 400_000)
    assert own["is_genuine"](headers, b'{"a":1}', "whsec_x")
    assert not own["is_genuine"](headers, b'{"a":2}', "whsec_x")
    assert not own["is_genuine"](headers, b'{"a":1}', "whsec_y")
    assert not own["is_genuine"](old, b'{"a":1}', "whsec_x")


def test_the_page_has_every_name_that_webhooks_may_ask_for() -> None:
    for name in EventName.__args__:  # type: ignore[attr-defined]
        assert f"`{name}`" in PAGE or name.startswith("proposal.")
