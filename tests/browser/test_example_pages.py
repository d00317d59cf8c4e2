"""The example pages in real browsers: prices that none misses, and a chat in which two see each other."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx2
import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.serve_process import ServeProcess, environment, serving

ROOT = Path(__file__).parents[2]
ROUNDS = 60
HOSTILE = '<img src=x onerror="document.title=1"><b>bold</b> "quoted" & \u202eright to left'
pytestmark = pytest.mark.timeout(180)


@contextmanager
def example(name: str, server: ServeProcess, *words: str, scope: str = "admin") -> Iterator[str]:
    """An example as its command starts it; where its page is."""
    command = [sys.executable, "-m", f"examples.{name}", "--url", server.url, "--port", "0", *words]
    command += ["--token", server.token(scope)]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            match = re.search(r"http://\S+", process.stdout.readline())
            assert match is not None
            yield match[0]
        finally:
            process.kill()


def until(browser: WebDriver, holds: Callable[[], object]) -> None:
    WebDriverWait(browser, 60, poll_frequency=0.05).until(lambda _: holds())


def text(browser: WebDriver, element: str) -> str:
    return browser.find_element(By.ID, element).text


def published(server: ServeProcess, channel: str) -> int:
    count: int = server.ask("GET", f"/channels/{channel}").json()["event_count"]
    return count


def enter(browser: WebDriver, page: str, name: str, room: str) -> None:
    browser.get(page)
    browser.find_element(By.ID, "room").clear()
    browser.find_element(By.ID, "room").send_keys(room)
    browser.find_element(By.ID, "name").send_keys(name)
    browser.find_element(By.CSS_SELECTOR, "#door button").click()
    until(browser, lambda: text(browser, "state") == "live")


def say(browser: WebDriver, words: str) -> None:
    browser.find_element(By.ID, "text").send_keys(words + "\n")


def messages(browser: WebDriver) -> list[str]:
    shown = browser.find_elements(By.CSS_SELECTOR, "#messages li")
    return [each.text.split("\n", 1)[1] for each in shown]


def shows(browser: WebDriver, count: int) -> bool:
    return len(messages(browser)) == count


def test_every_price_is_shown_once_also_those_of_a_restart(browser: WebDriver, tmp_path: Path) -> None:
    with (
        serving(tmp_path / "data", {"TIDEMARK_SERVER__ALLOWED_ORIGINS": '["*"]'}) as server,
        example("price_ticker", server, "--seed", "7", "--every", "0.1", "--rounds", str(ROUNDS)) as page,
    ):
        browser.get(page)
        until(browser, lambda: int(text(browser, "count")) >= 20)
        symbols = [each.text for each in browser.find_elements(By.CSS_SELECTOR, "#prices td:first-child")]
        assert symbols == ["ACME", "BOLT", "CORK", "DUNE", "ECHO"]
        assert len(browser.find_elements(By.CSS_SELECTOR, "polyline[points]")) == 5
        server.kill()
        until(browser, lambda: text(browser, "state") == "coming back")
        server.start()
        # All rounds are published; from the first that the page has shown on, it has shown each once.
        until(browser, lambda: published(server, "prices") == 5 * ROUNDS)
        first = browser.find_element(By.ID, "count").get_attribute("data-first")
        assert first is not None
        expected = 1 + len(server.events("prices", first))
        until(browser, lambda: int(text(browser, "count")) >= expected)
        assert int(text(browser, "count")) == expected


def test_two_browsers_see_each_other_and_hostile_words_are_words(
    browser: WebDriver, other_browser: WebDriver, server: ServeProcess
) -> None:
    with example("chat", server) as page:
        enter(browser, page, "Ann", "harbour")
        enter(other_browser, page, "Bob <i>", "harbour")
        say(browser, "hello")
        until(other_browser, lambda: messages(other_browser) == ["hello"])
        say(other_browser, HOSTILE)
        until(browser, lambda: messages(browser) == ["hello", HOSTILE])
        assert browser.title == "Chat"
        assert not browser.find_elements(By.CSS_SELECTOR, "#messages img, #messages b")
        assert browser.find_element(By.CSS_SELECTOR, "#messages li.own").text.startswith("Ann")
        until(browser, lambda: sorted(text(browser, "people").split(", ")) == ["Ann", "Bob <i>"])


def test_what_the_broker_does_not_take_stays_to_be_said_again(browser: WebDriver, server: ServeProcess) -> None:
    with example("chat", server) as page:
        enter(browser, page, "Ann", "quay")
        browser.execute_script("document.getElementById('text').value = 'x'.repeat(70_000)")
        browser.find_element(By.CSS_SELECTOR, "#say button").click()
        until(browser, lambda: "over 65536 bytes" in text(browser, "unsaid"))
        kept = browser.find_element(By.ID, "text").get_attribute("value")
        assert kept == "x" * 70_000 and messages(browser) == []


def test_earlier_messages_are_scrolled_back_to(browser: WebDriver, server: ServeProcess) -> None:
    with example("chat", server) as page:
        entered = httpx2.post(f"{page}/enter", json={"name": "Eve", "room": "archive"}).json()
        bearer = {"Authorization": f"Bearer {entered['token']}"}
        batch = {"events": [{"type": "message", "data": {"text": f"number {each}"}} for each in range(70)]}
        server.ask("POST", f"/channels/{entered['channel']}/events", json=batch, headers=bearer)
        enter(browser, page, "Ann", "archive")
        until(browser, lambda: len(messages(browser)) == 30)
        for expected in (60, 70):
            browser.find_element(By.ID, "earlier").click()
            until(browser, partial(shows, browser, expected))
        shown = [each for each in messages(browser) if each.startswith("number")]
        assert shown == [f"number {each}" for each in range(70)]


def test_what_the_broker_refuses_is_told_by_the_door(server: ServeProcess) -> None:
    with example("chat", server, scope="sub:*") as page:
        refused = httpx2.post(f"{page}/enter", json={"name": "Ann", "room": "den"})
    assert refused.status_code == 502 and refused.json()["error"].startswith("the broker: ")


def test_the_door_gives_no_token_for_what_is_no_room_or_name(server: ServeProcess) -> None:
    with example("chat", server) as page:
        bodies: tuple[object, ...] = (
            {"name": "Ann", "room": "../x"},
            {"name": "", "room": "lobby"},
            {"name": "a\nb", "room": "a"},
            [],
        )
        for body in bodies:
            refused = httpx2.post(f"{page}/enter", json=body)
            assert refused.status_code == 400 and "error" in refused.json()
        entered = httpx2.post(f"{page}/enter", json={"name": "Ann", "room": "den"}).json()
        assert entered["channel"] == "chat-den"
        bearer = {"Authorization": f"Bearer {entered['token']}"}
        assert server.ask("GET", "/channels/chat-den/events", headers=bearer).status_code == 200
        assert server.ask("GET", "/channels/chat-lobby/events", headers=bearer).status_code in (401, 403, 404)
        assert httpx2.get(f"{page}/client/../../../README.md").status_code == 404
        assert "script-src 'self'" in httpx2.get(page).headers["content-security-policy"]
