"""The feed through the door: whole, unchanged, gone (contract section 11.1)."""

from urllib.parse import urlsplit

import httpx2
import vobject  # type: ignore[import-untyped]

from handlers.calendar.operations import ICAL
from tests.handlers.calendar.calls import MINUTE_MS, Org


async def fetch(org: Org, url: str, **headers: str) -> httpx2.Response:
    sent = {name.replace("_", "-"): text for name, text in headers.items()}
    return await org.server.http.get(urlsplit(url).path, headers=sent)


async def address(org: Org) -> str:
    found: str = (await org.good("GET", f"calendars/{org.calendar}"))["ical_url"]
    return found


async def test_a_feed_has_the_events_of_its_calendar_and_needs_no_key(acme: Org) -> None:
    event, hold = await acme.make(title="Sync; one", reminders=[5]), await acme.hold()
    url = await address(acme)
    answer = await fetch(acme, url)
    assert url.startswith("http") and answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, max-age=300" and hold["id"] not in answer.text
    [found] = vobject.readOne(answer.text).vevent_list
    assert (found.uid.value, found.summary.value) == (f"{event['id']}@tidemark", "Sync; one")
    await acme.advance(MINUTE_MS)
    assert hold["id"] not in (await fetch(acme, url)).text


async def test_an_unchanged_feed_is_304_and_a_changed_one_is_whole(acme: Org) -> None:
    event, url = await acme.make(), await address(acme)
    etag = (await fetch(acme, url)).headers["etag"]
    assert etag.startswith('"')
    again = await fetch(acme, url, If_None_Match=etag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    await acme.patch(event["id"], title="Other")
    changed = await fetch(acme, url, If_None_Match=etag)
    assert changed.status_code == 200 and "SUMMARY:Other" in changed.text and changed.headers["etag"] != etag


async def test_a_new_address_ends_the_old_one_and_is_told_without_it(acme: Org) -> None:
    old = await address(acme)
    rotated = await acme.good("POST", f"calendars/{acme.calendar}/ical/rotate")
    assert rotated["ical_url"] != old and rotated["ical_url"] == await address(acme)
    assert (await fetch(acme, old)).status_code == 404 and (await fetch(acme, rotated["ical_url"])).status_code == 200
    assert "/ical/" not in str(await acme.told())
    listed = await acme.good("GET", "calendars")
    assert [each["ical_url"] for each in listed["data"]] == [rotated["ical_url"]]


async def test_what_names_no_calendar_is_404_and_so_is_a_deleted_ones_feed(acme: Org, rival: Org) -> None:
    url = await address(acme)
    forged = url.replace("acme.", "rival.")
    for bad in (f"{ICAL}/x.ics", f"{ICAL}/acme.0123456789abcd." + "A" * 32 + ".ics", forged):
        answer = await fetch(acme, bad)
        assert answer.status_code == 404 and answer.json()["error"]["type"] == "not_found"
    await rival.refused("POST", f"calendars/{acme.calendar}/ical/rotate", None, 404, "not_found")
    await acme.ask("DELETE", f"calendars/{acme.calendar}")
    assert (await fetch(acme, url)).status_code == 404
