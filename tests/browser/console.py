"""The console in a browser, and a server behind it: what tests do with them, and how they wait."""

import json
import time
from collections.abc import Callable
from typing import Any

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.serve_process import ServeProcess

PATIENCE_S = 45.0
PANELS = ("channels", "webhooks", "timers", "live", "calendars", "calls", "health", "tokens", "access")


class Console:
    """One browser that shows the console of a server."""

    def __init__(self, server: ServeProcess, browser: WebDriver) -> None:
        self.server = server
        self.browser = browser

    def open(self, place: str = "channels", token: str = "", *keys: str) -> None:
        """Open a panel in a tab that has been given these."""
        self.browser.get(f"{self.server.url}/#/{place}")
        given = json.dumps({"token": token, "keys": keys})
        self.browser.execute_script("sessionStorage.setItem('tidemark.console', arguments[0])", given)
        self.browser.refresh()
        self.until(lambda: self.found("main .panel") != [], "a panel")

    def go(self, place: str) -> None:
        """Go to another panel."""
        self.browser.execute_script("location.hash = arguments[0]", f"#/{place}")
        self.until(lambda: self.run("return document.body.dataset.panel") == place.split("/")[0], place)

    def run(self, script: str, *values: Any) -> Any:
        """What a script in the page returns."""
        return self.browser.execute_script(script, *values)

    def found(self, selector: str) -> list[WebElement]:
        """The elements that are there."""
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """The texts of the elements that are there, in one step, so that none is gone before it is read."""
        found: list[str] = self.run(
            "return [...document.querySelectorAll(arguments[0])].map((node) => node.textContent)", selector
        )
        return found

    def says(self, text: str) -> bool:
        """Whether the page shows a text."""
        return bool(self.run("return document.body.innerText.includes(arguments[0])", text))

    def type(self, selector: str, text: str, *keys: str) -> None:
        """Put a text into a field by the keyboard, in the place of what it has."""
        field = self.found(selector)[0]
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(Keys.NULL, text, *keys)

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        self.browser.switch_to.active_element.send_keys(*keys)

    def click(self, text: str) -> None:
        """Click the button that says this."""
        script = (
            "return [...document.querySelectorAll('main button')].filter((each) => each.textContent === arguments[0])"
        )
        self.until(lambda: len(self.run(script, text)) == 1, f"one button {text}")
        [button] = self.run(script, text)
        self.run("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until it is so."""
        end_s = time.monotonic() + PATIENCE_S
        while not _held(holds):
            assert time.monotonic() < end_s, f"{what}: {self.run('return document.body.innerText')}"
            time.sleep(0.05)

    def until_live(self) -> None:
        """Wait until the log that is shown is followed."""
        self.until(lambda: self.run("return document.getElementById('link').dataset.state") == "live", "the socket")
        self.until(lambda: "Reading…" not in self.texts(".log-foot"), "the log")

    def call(self, method: str, path: str, body: Any = None, key: str = "") -> Any:
        """The JSON that a call answers, which must be a success; by an admin without a key."""
        headers = {"Authorization": f"Bearer {key or self.server.token('admin')}"}
        with self.server.client() as client:
            answer = client.request(method, f"{self.server.url}{path}", json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def key(self, tenant: str, *scopes: str) -> str:
        """A new key of a tenant."""
        return str(self.call("POST", "/admin/keys", {"tenant": tenant, "scopes": scopes})["key"])


def _held(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    except StaleElementReferenceException:
        return False
