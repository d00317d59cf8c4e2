"""The watch page in a real browser: each state has a face, changes come by themselves, access is proved and used up."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import picture
from tests.serve_process import ServeProcess, serving

LIVE = "/v1/live-events"
PATIENCE_S = 45.0
CROWDED = {"TIDEMARK_LIVE__PUSH_CONNECTIONS": "0", "TIDEMARK_CHANNELS__POLL_INTERVAL_S": "2"}
pytestmark = pytest.mark.timeout(180)


class Studio:
    """An organiser, and a viewer's browser."""

    def __init__(self, server: ServeProcess, browser: WebDriver) -> None:
        self.server = server
        self.browser = browser
        self._headers = server.bearer("admin")
        key = self.call("POST", "/admin/keys", {"tenant": "acme", "scopes": ["live"]})["key"]
        self._headers = {"Authorization": f"Bearer {key}"}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON that a call answers, which must be a success."""
        with self.server.client() as client:
            answer = client.request(method, f"{self.server.url}{path}", json=body, headers=self._headers)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def event(self, **settings: Any) -> Any:
        """A new event."""
        return self.call("POST", f"{LIVE}/events", {"name": "Town hall", **settings})

    def to(self, event: Any, *steps: str) -> None:
        """Move an event on."""
        for step in steps:
            self.call("POST", f"{LIVE}/events/{event['event_id']}/{step}")

    def open(self, event: Any, query: str = "", kind: str = "watch") -> None:
        """Open the page of an event."""
        self.browser.get(f"{self.server.url}/{kind}/{event['slug']}{query}")

    def text(self, name: str) -> str:
        """What an element of the page says."""
        return str(self.browser.find_element(By.ID, name).text)

    def is_shown(self, name: str) -> bool:
        """Whether an element is to be seen."""
        return bool(self.browser.find_element(By.ID, name).is_displayed())

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until it is so."""
        end_s = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end_s, f"{what}: {self.browser.find_element(By.TAG_NAME, 'body').text}"
            time.sleep(0.05)

    def until_state(self, state: str) -> None:
        """Wait until the page shows this watch state."""
        self.until(lambda: self.browser.execute_script("return document.body.dataset.state") == state, state)

    def prove(self, text: str) -> None:
        """Type a password or token, and send it by the keyboard."""
        field = self.browser.find_element(By.ID, "secret")
        field.clear()
        field.send_keys(text, Keys.ENTER)


@pytest.fixture
def studio(server: ServeProcess, browser: WebDriver) -> Studio:
    return Studio(server, browser)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """Another site, which shows what lies in the test's directory."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_address[1]}"
        site.shutdown()


def in_s(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def test_it_counts_down_and_goes_through_the_life_of_an_event_by_itself(studio: Studio, tmp_path: Path) -> None:
    event = studio.event(description="All hands.\nBring questions.", scheduled_start_at=in_s(3_000))
    studio.open(event)
    studio.until_state("not_started")
    assert studio.text("name") == "Town hall" and studio.text("badge").lower() == "upcoming"
    assert re.fullmatch(r"00:(50|4\d):\d\d", studio.text("countdown"))
    picture(studio.browser, tmp_path, "not_started")
    for step, state in (
        ("rehearsal/start", "rehearsal_hidden"),
        ("live/start", "live"),
        ("live/stop", "processing_replay"),
    ):
        studio.to(event, step)
        studio.until_state(state)
        picture(studio.browser, tmp_path, state)
    assert studio.text("countdown") == "" and "replay is being prepared" in studio.text("detail")


def test_a_page_that_follows_hears_of_a_change_without_asking_again(studio: Studio) -> None:
    event = studio.event()
    studio.open(event)
    studio.until_state("not_started")
    # From here on the page could only learn of it by the channel: asking again fails.
    studio.browser.execute_script("window.fetch = () => Promise.reject(new Error('asked'))")
    studio.to(event, "rehearsal/start")
    studio.until_state("rehearsal_hidden")


OLD_CACHE = """
const real = window.fetch;
window.asked = 0;
let kept = null;
window.fetch = async (...call) => { kept ??= await real(...call); window.asked += 1; return kept.clone(); };
"""
WATCH_FOR_UNDOING = """
window.undone = false;
const look = () => { window.undone ||= document.body.dataset.state !== "rehearsal_hidden"; };
new MutationObserver(look).observe(document.body, { attributes: true });
"""


def test_what_a_cache_still_keeps_does_not_undo_what_was_told(studio: Studio) -> None:
    event = studio.event()
    studio.open(event)
    studio.until_state("not_started")
    studio.browser.execute_script(OLD_CACHE)
    studio.until(lambda: studio.browser.execute_script("return window.asked") >= 1, "a poll that the cache keeps")
    studio.to(event, "rehearsal/start")
    studio.until_state("rehearsal_hidden")
    seen = studio.browser.execute_script("return window.asked")
    studio.browser.execute_script(WATCH_FOR_UNDOING)
    studio.until(lambda: studio.browser.execute_script("return window.asked") >= seen + 2, "polls of what is old")
    assert studio.browser.execute_script("return window.undone") is False


def test_a_page_without_room_to_follow_polls(studio: Studio, tmp_path: Path, browser: WebDriver) -> None:
    with serving(tmp_path / "data", CROWDED) as server:
        other = Studio(server, browser)
        event = other.event()
        other.open(event)
        other.until_state("not_started")
        other.to(event, "live/start")
        other.until_state("live")


def test_a_wrong_password_is_refused_and_the_right_one_opens(studio: Studio, tmp_path: Path) -> None:
    event = studio.event(visibility_mode="password", password="s3cret")
    studio.to(event, "live/start")
    studio.open(event)
    studio.until_state("access_required")
    picture(studio.browser, tmp_path, "access_required")
    assert (
        studio.is_shown("access") and studio.browser.find_element(By.ID, "secret").get_attribute("type") == "password"
    )
    studio.prove("wrong")
    studio.until(lambda: "not right" in studio.text("refusal"), "the refusal")
    studio.prove("s3cret")
    studio.until_state("live")
    assert not studio.is_shown("access") and studio.text("refusal") == ""
    picture(studio.browser, tmp_path, "live")


def test_a_token_of_the_address_opens_leaves_the_address_and_is_used_up_when_playback_starts(studio: Studio) -> None:
    event = studio.event(visibility_mode="token")
    tokens = f"{LIVE}/events/{event['event_id']}/tokens"
    token = studio.call("POST", tokens, {"max_uses": 1})["token"]
    studio.to(event, "live/start")
    studio.open(event, f"?token={token}")
    studio.until_state("live")
    assert token not in studio.browser.current_url and token not in studio.browser.page_source

    def uses() -> int:
        [listed] = studio.call("GET", tokens)["tokens"]
        return int(listed["use_count"])

    assert uses() == 0
    for _ in range(2):
        studio.browser.execute_script("document.getElementById('player').dispatchEvent(new Event('play'))")
    studio.until(lambda: uses() == 1, "the use")
    studio.open(event, f"?token={token}")
    studio.until_state("access_required")
    studio.until(lambda: "not right" in studio.text("refusal"), "the refusal")


def test_who_has_access_sees_a_gated_event_go_live_by_itself(studio: Studio) -> None:
    event = studio.event(visibility_mode="password", password="s3cret")
    studio.open(event)
    studio.until_state("not_started")
    studio.prove("s3cret")
    studio.until(lambda: not studio.is_shown("access"), "the form to go")
    studio.to(event, "live/start")
    studio.until_state("live")


def test_who_has_access_sees_it_go_live_and_end_also_where_there_is_no_room_to_follow(
    tmp_path: Path, browser: WebDriver
) -> None:
    with serving(tmp_path / "data", CROWDED) as server:
        studio = Studio(server, browser)
        event = studio.event(visibility_mode="password", password="s3cret")
        studio.open(event)
        studio.until_state("not_started")
        studio.prove("s3cret")
        studio.until(lambda: not studio.is_shown("access"), "the form to go")
        for step, state in (("live/start", "live"), ("live/stop", "processing_replay")):
            studio.to(event, step)
            studio.until_state(state)


def failing_once(action: str) -> str:
    """A script after which the page's next call of this action fails."""
    return f"""
    const real = window.fetch;
    window.failed = 0;
    window.fetch = (...call) => {{
      if (window.failed > 0 || !call[0].endsWith("/{action}")) return real(...call);
      window.failed += 1;
      return Promise.reject(new TypeError("no connection"));
    }};
    """


def test_what_there_is_to_play_and_its_use_are_asked_for_again_after_a_failure(studio: Studio) -> None:
    event = studio.event(visibility_mode="token")
    tokens = f"{LIVE}/events/{event['event_id']}/tokens"
    token = studio.call("POST", tokens, {})["token"]
    studio.open(event, f"?token={token}")
    studio.until_state("not_started")
    studio.until(lambda: not studio.is_shown("access"), "the form to go")
    studio.browser.execute_script(failing_once("verify-token"))
    studio.to(event, "live/start")
    studio.until(lambda: studio.browser.execute_script("return window.failed") == 1, "the failure")
    studio.until(lambda: studio.is_shown("player") or studio.is_shown("elsewhere"), "what there is to play")
    studio.browser.execute_script(failing_once("consume-grant"))
    studio.browser.execute_script("document.getElementById('player').dispatchEvent(new Event('play'))")
    studio.until(lambda: studio.call("GET", tokens)["tokens"][0]["use_count"] == 1, "the use")
    assert studio.browser.execute_script("return window.failed") == 1


@pytest.mark.parametrize("settings", [{}, {"embed_enabled": False}])
def test_others_frame_the_embedded_page_where_the_event_allows_it(
    studio: Studio, settings: Any, tmp_path: Path, elsewhere: str
) -> None:
    event = studio.event(**settings)
    for kind, is_framed in (("embed", settings == {}), ("watch", False)):
        (tmp_path / f"{kind}.html").write_text(f'<iframe src="{studio.server.url}/{kind}/{event["slug"]}"></iframe>')
        studio.browser.get(f"{elsewhere}/{kind}.html")
        frame = studio.browser.find_element(By.TAG_NAME, "iframe")
        studio.browser.switch_to.frame(frame)
        if is_framed:
            studio.until_state("not_started")
        found = studio.browser.find_elements(By.ID, "headline")
        studio.browser.switch_to.default_content()
        assert bool(found) is is_framed
    studio.browser.get_log("browser")  # type: ignore[no-untyped-call] # that a frame was refused


def test_an_event_that_is_not_there_is_said_to_be_none(studio: Studio) -> None:
    studio.open({"slug": "nothing-here"})
    studio.until_state("unknown")
    assert "no such event" in studio.text("headline") and not studio.is_shown("access")


def test_it_is_readable_on_a_phone_and_in_the_dark(server: ServeProcess, phone: WebDriver, tmp_path: Path) -> None:
    studio = Studio(server, phone)
    studio.open(studio.event(name="A very long name of a live event " * 3, visibility_mode="token"))
    studio.until_state("not_started")
    picture(phone, tmp_path, "phone")
    width, inner = phone.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert width <= inner
    assert phone.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(14, 16, 20)"
