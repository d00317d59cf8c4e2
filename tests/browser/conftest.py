"""A real Chromium without a window, driven by selenium; a test fails when a page logs an error or breaks its policy."""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver

from tests.browser.console import Console
from tests.serve_process import ServeProcess, serving

SETTINGS = {
    "TIDEMARK_CHANNELS__POLL_INTERVAL_S": "2",
    "TIDEMARK_CLOCK__MODE": "test",
    "TIDEMARK_OUTBOUND__ALLOW": '["127.0.0.0/8"]',
}
SWITCHES = (
    "--headless=new",
    # Chromium runs as root in containers only so; it visits this test's own pages and nothing else.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
    "--window-size=1100,900",
)


NUMBERS = itertools.count()


@contextmanager
def started(profile: Path) -> Iterator[WebDriver]:
    """A browser of its own, with a profile of its own."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no chromium: apt-get install chromium chromium-driver")
    options = Options()
    options.binary_location = browser
    for switch in (*SWITCHES, f"--user-data-dir={profile}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(driver))
    made.set_page_load_timeout(60)
    try:
        yield made
    finally:
        made.quit()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """One browser for all tests of this process."""
    with started(tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture(scope="session")
def other_chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """A second one, which knows nothing of the first."""
    with started(tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    """One server for all tests of this process; its clock can be moved, and it calls receivers on this machine."""
    with serving(tmp_path_factory.mktemp("pages") / "data", SETTINGS) as running:
        yield running


@contextmanager
def clean(made: WebDriver) -> Iterator[WebDriver]:
    """The browser on an empty page; what pages logged as errors fails the test, but for refused requests."""
    made.get("about:blank")
    made.get_log("browser")  # type: ignore[no-untyped-call]
    yield made
    entries: list[dict[str, Any]] = made.get_log("browser")  # type: ignore[no-untyped-call]
    made.get("about:blank")
    severe = [each["message"] for each in entries if each["level"] == "SEVERE" and each["source"] != "network"]
    assert severe == []


@pytest.fixture
def browser(chromium: WebDriver) -> Iterator[WebDriver]:
    """The browser for one test."""
    with clean(chromium) as made:
        yield made


@pytest.fixture
def other_browser(other_chromium: WebDriver) -> Iterator[WebDriver]:
    """The second browser for one test."""
    with clean(other_chromium) as made:
        yield made


@pytest.fixture
def console(server: ServeProcess, browser: WebDriver) -> Console:
    """The console of the server in the browser."""
    return Console(server, browser)


@pytest.fixture
def other(server: ServeProcess, other_browser: WebDriver) -> Console:
    """The same in the second one."""
    return Console(server, other_browser)


@pytest.fixture
def channel(server: ServeProcess) -> str:
    """A private channel that no other test uses."""
    name = f"log-{next(NUMBERS)}"
    server.create(name, is_public=False)
    return name


@pytest.fixture
def phone(browser: WebDriver) -> Iterator[WebDriver]:
    """The browser as a phone in the dark, on which nothing moves that need not."""
    features = [
        {"name": "prefers-color-scheme", "value": "dark"},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def picture(browser: WebDriver, directory: Path, name: str) -> None:
    """Keep a picture of the page beside the test's files, to be looked at."""
    browser.save_screenshot(str(directory / f"{name}.png"))
