"""The console's other panels in a real browser: each shows what is there and what happens to it, and acts."""

import itertools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import picture
from tests.browser.console import Console

pytestmark = pytest.mark.timeout(180)
NUMBERS = itertools.count()


@pytest.fixture
def tenant() -> str:
    """A tenant that no other test uses."""
    return f"tenant-{next(NUMBERS)}"


@pytest.fixture
def receiver() -> Iterator[str]:
    """A receiver on this machine: what is sent to `/bad` it does not take."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.send_response(500 if self.path == "/bad" else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_address[1]}"
        site.shutdown()


def in_s(console: Console, seconds: float) -> str:
    """A time of the server's clock, which tests have moved."""
    now = datetime.fromisoformat(console.call("GET", "/admin/timers")["now"].replace("Z", "+00:00"))
    return (now + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def blocks(console: Console) -> dict[str, str]:
    """The blocks of the calendar that are there to stay: their titles, and their states."""
    there = "[...document.querySelectorAll('.block:not(.leave)')]"
    script = f"return {there}.map((node) => [node.querySelector('strong').textContent, node.dataset.status])"
    return dict(console.run(script))


def test_a_hold_appears_and_ends_in_every_browser_as_it_happens(
    console: Console, other: Console, tenant: str, tmp_path: Path
) -> None:
    key = console.key(tenant, "calendar")
    calendar = console.call("POST", "/v1/calendars", {"name": "Ada", "timezone": "UTC"}, key)["id"]
    events = f"/v1/calendars/{calendar}/events"
    today = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0)

    def event(title: str, hour: int, **more: Any) -> Any:
        times = {"start_time": today + timedelta(hours=hour), "end_time": today + timedelta(hours=hour + 1)}
        body = {"title": title, **{name: each.isoformat() for name, each in times.items()}, **more}
        return console.call("POST", events, body, key)

    def hold(title: str, hour: int, priority: int, expires_in_s: float) -> Any:
        ends = in_s(console, expires_in_s)
        return event(title, hour, status="hold", hold_priority=priority, hold_expires_at=ends)

    event("Meeting", 0)
    console.open(f"calendars/{tenant}/{calendar}/week", "", key)
    other.open(f"calendars/{tenant}/{calendar}/day", other.server.token("admin"), key)
    both = (console, other)

    def until_both(expected: dict[str, str]) -> None:
        for each in both:
            each.until(lambda each=each: blocks(each) == expected, str(expected))  # type: ignore[misc]

    until_both({"Meeting": "confirmed"})
    weak = hold("Weak", 2, 1, 40)
    until_both({"Meeting": "confirmed", "Weak": "hold"})
    picture(console.browser, tmp_path, "hold")
    hold("Strong", 2, 2, 40)
    until_both({"Meeting": "confirmed", "Strong": "hold"})
    kept = hold("Kept", 4, 1, 800)
    until_both({"Meeting": "confirmed", "Strong": "hold", "Kept": "hold"})
    console.run("arguments[0].click()", console.found(f"[data-event='{kept['id']}']")[0])
    console.until(lambda: console.says("Held until"), "the hold's card")
    console.click("Confirm")
    until_both({"Meeting": "confirmed", "Strong": "hold", "Kept": "confirmed"})
    console.call("POST", "/admin/clock", {"advance_ms": 41_000})
    until_both({"Meeting": "confirmed", "Kept": "confirmed"})
    assert console.call("GET", f"/v1/events/{weak['id']}", key=key)["status"] == "cancelled"


def test_a_hold_that_is_refused_says_why_and_one_that_is_placed_shows_up(console: Console, tenant: str) -> None:
    key = console.key(tenant, "calendar")
    console.open(f"calendars/{tenant}", "", key)
    console.until(lambda: console.says("There is no calendar yet."), "the empty state")
    console.type("input[name=name]", "Ada", Keys.ENTER)
    console.until(lambda: console.found(".grid") != [], "the calendar")
    console.type("input[name=title]", "First", Keys.ENTER)
    console.until(lambda: blocks(console) == {"First": "hold"}, "the hold")
    console.type("input[name=title]", "Second", Keys.ENTER)
    console.until(lambda: any("hold" in text.lower() for text in console.texts(".told")), "the refusal")
    assert blocks(console) == {"First": "hold"}


def test_live_events_show_their_state_as_it_changes(console: Console, tenant: str) -> None:
    key = console.key(tenant, "live")
    console.open("live", "", key)
    console.until(lambda: console.says("No live event is planned."), "the empty state")
    console.type("input[name=name]", "Town hall", Keys.ENTER)
    console.until(lambda: console.texts(".live-row .badge") == ["ready"], "the event")
    assert console.found(".secret input") != []
    console.click("Go live")
    console.until(lambda: console.texts(".live-row .badge") == ["live"], "going live")
    [event] = console.call("GET", "/v1/live-events/events", key=key)["events"]
    console.call("POST", f"/v1/live-events/events/{event['event_id']}/live/stop", key=key)
    console.until(lambda: console.texts(".live-row .badge")[0] in ("ending", "processing", "ended"), "its end")
    console.until(lambda: "live.event.stopped" in console.texts(".log .type"), "the log of it")


def test_calls_show_their_attempts_as_they_are_made(
    console: Console, tenant: str, receiver: str, tmp_path: Path
) -> None:
    key = console.key(tenant, "cuey")
    console.open("calls", "", key)
    console.until(lambda: console.says("No call is planned."), "the empty state")

    def plan(path: str, seconds: float) -> None:
        retry = {"maxRetries": 2, "backoffMs": 100, "backoffType": "linear"}
        body = {"webhook_url": receiver + path, "scheduled_at": in_s(console, seconds), "retry_config": retry}
        console.call("POST", "/api/v1/events", body, key)

    plan("/bad", 2)
    plan("/good", 3)
    plan("/later", 3_000)
    console.until(
        lambda: sorted(console.texts(".call .badge:not(td *)")) == ["failed", "pending", "success"], "the outcomes"
    )
    console.until(lambda: "3 attempts" in console.texts(".call .dots .soft"), "the attempts")
    [failed] = [each for each in console.found(".call") if "/bad" in each.text]
    failed.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    console.until(lambda: failed.text.count("answered 500") == 3, "the answers")
    picture(console.browser, tmp_path, "calls")


def test_webhooks_show_their_deliveries_and_are_replayed(console: Console, receiver: str) -> None:
    channel = f"hooked-{next(NUMBERS)}"
    console.server.create(channel)
    console.open(f"webhooks/{channel}", console.server.token("admin", sub="ann"))
    console.until(lambda: console.says("Nobody is called"), "the empty state")
    console.type("input[name=url]", f"{receiver}/good", Keys.ENTER)
    console.until(lambda: console.found(".secret input") != [], "the secret")
    console.until(lambda: console.found("td a") != [], "the webhook")
    console.server.publish(channel, 1)
    console.run("arguments[0].click()", console.found("td a")[0])
    console.until(lambda: console.texts("td .badge") == ["delivered"], "the delivery")
    console.type("input[name=from]", "2020-01-01T00:00:00Z", Keys.ENTER)
    console.until(lambda: console.texts("td .badge") == ["delivered"] * 2, "the replay")
    bad = console.call("POST", f"/api/v1/channels/{channel}/webhooks", {"url": f"{receiver}/bad"})
    console.server.publish(channel, 2)
    console.go(f"webhooks/{channel}/{bad['id']}")
    console.until(lambda: console.texts("td .badge") == ["retrying"], "the failure")
    console.click("Resume")
    console.until(lambda: len(console.texts("td .badge")) == 2, "another try")


def test_an_organisations_webhooks_are_paused_resumed_and_replayed(
    console: Console, tenant: str, receiver: str
) -> None:
    key = console.key(tenant, "calendar")

    def happens(name: str) -> None:
        console.call("POST", "/v1/calendars", {"name": name, "timezone": "UTC"}, key)
        [*_, calendar] = console.call("GET", "/v1/calendars", key=key)["data"]
        times = {"start_time": "2099-01-01T10:00:00Z", "end_time": "2099-01-01T11:00:00Z"}
        console.call("POST", f"/v1/calendars/{calendar['id']}/events", {"title": name, **times}, key)

    happens("before")
    console.open(f"webhooks/org:{tenant}", "", key)
    console.until(lambda: console.says("Nobody is called"), "the empty state")
    console.type("input[name=url]", f"{receiver}/good", Keys.ENTER)
    console.until(lambda: console.found("td a") != [], "the webhook")
    console.run("arguments[0].click()", console.found("td a")[0])
    console.until(lambda: console.says("No delivery yet."), "its deliveries")
    happens("then")
    states = "tbody td:nth-child(3) .badge"
    console.until(lambda: console.texts(states) == ["delivered"], "the delivery")
    console.click("Pause")
    console.until(lambda: "paused" in console.texts("dd .badge"), "the pause")
    happens("meanwhile")
    console.click("Resume")
    console.until(lambda: "active" in console.texts("dd .badge"), "the end of it")
    console.until(lambda: console.says("Deliver it"), "what was left out")
    console.click("Deliver it")
    console.until(lambda: console.texts(states) == ["delivered"] * 2, "the replay")


def test_timers_count_down_and_go_when_they_fire(console: Console) -> None:
    channel = f"timed-{next(NUMBERS)}"
    console.server.create(channel)
    body = {"data": 1, "publish_at": in_s(console, 20)}
    console.call("POST", f"/api/v1/channels/{channel}/events", body)
    console.open("timers", console.server.token("admin"))
    row = f"//tr[td[3]='{channel}']"
    console.until(lambda: console.browser.find_elements(By.XPATH, row) != [], "the timer")
    assert console.browser.find_element(By.XPATH, row).text.split(" ")[1] == "s"
    console.call("POST", "/admin/clock", {"advance_ms": 21_000})
    console.until(lambda: console.browser.find_elements(By.XPATH, row) == [], "it to fire")


def test_tokens_are_minted_and_keys_made_listed_and_revoked(console: Console, tenant: str) -> None:
    console.open("tokens", console.server.token("admin"))
    console.until(lambda: console.found("input[name=scopes]") != [], "the forms")
    console.type("input[name=scopes]", "metrics sub:*", Keys.ENTER)
    console.until(lambda: console.found(".secret input") != [], "the token")
    token = console.found(".secret input")[0].get_attribute("value")
    assert console.call("GET", "/api/v1/tokens/claims", key=str(token))["scopes"] == ["metrics", "sub:*"]
    console.type("input[name=tenant]", tenant, Keys.ENTER)
    console.until(lambda: console.says("Choose at least one scope."), "the refusal")
    console.found("input[value=cuey]")[0].send_keys(Keys.SPACE)
    console.type("input[name=tenant]", tenant, Keys.ENTER)
    row = f"//tr[td[2]='{tenant}']"
    console.until(lambda: console.browser.find_elements(By.XPATH, row) != [], "the key")
    revoke = console.browser.find_element(By.XPATH, f"{row}//button")
    revoke.send_keys(Keys.ENTER)
    assert revoke.text == "Revoke, really?"
    revoke.send_keys(Keys.ENTER)
    console.until(lambda: "revoked" in console.browser.find_element(By.XPATH, row).text, "the end of the key")


def test_health_is_plotted_for_who_may_read_metrics(console: Console, tmp_path: Path) -> None:
    channel = f"busy-{next(NUMBERS)}"
    console.server.create(channel)
    console.open("health", console.server.token("metrics"))
    assert console.found(".nav a[data-panel=timers].shut") != []

    def is_drawn() -> bool:
        console.server.publish(channel, 1)
        lines = console.run(
            "return [...document.querySelectorAll('.line-0')].map((each) => each.getAttribute('d') ?? '')"
        )
        return len(lines) == 9 and all(line.count("L") >= 2 for line in lines[:2])

    console.until(is_drawn, "the plots")
    assert console.texts(".tile dd")[:4] == ["answers", "written", "connected", "1"]
    console.found(".chart-plot")[0].send_keys(Keys.ARROW_LEFT)
    assert console.run("return document.querySelector('.pointer').getAttribute('visibility')") == "visible"
    picture(console.browser, tmp_path, "health")


def test_what_is_read_again_keeps_the_focus(console: Console, receiver: str) -> None:
    channel = f"focused-{next(NUMBERS)}"
    console.server.create(channel)
    hooks = f"/api/v1/channels/{channel}/webhooks"
    console.call("POST", hooks, {"url": f"{receiver}/good"})
    console.open(f"webhooks/{channel}", console.server.token("admin"))
    console.until(lambda: console.found("td a") != [], "the webhook")
    console.run("document.querySelector('td a').focus()")
    again = "performance.getEntriesByType('resource').filter((each) => each.name.endsWith('/webhooks')).length"
    console.until(lambda: console.run(f"return {again}") >= 3, "it to be asked again")
    assert console.run("return document.activeElement.matches('td a')")
