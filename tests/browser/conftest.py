"""A real Chromium without a window, driven by selenium; a test fails when a page logs an error or breaks its policy."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver

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


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """One browser for all tests of this process."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no chromium: apt-get install chromium chromium-driver")
    options = Options()
    options.binary_location = browser
    for switch in (*SWITCHES, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(driver))
    made.set_page_load_timeout(60)
    try:
        yield made
    finally:
        made.quit()


@pytest.fixture
def browser(chromium: WebDriver) -> Iterator[WebDriver]:
    """The browser on an empty page; what pages logged as errors fails the test, but for refused requests."""
    chromium.get("about:blank")
    chromium.get_log("browser")  # type: ignore[no-untyped-call]
    yield chromium
    entries: list[dict[str, Any]] = chromium.get_log("browser")  # type: ignore[no-untyped-call]
    chromium.get("about:blank")
    severe = [each["message"] for each in entries if each["level"] == "SEVERE" and each["source"] != "network"]
    assert severe == []


def picture(browser: WebDriver, directory: Path, name: str) -> None:
    """Keep a picture of the page beside the test's files, to be looked at."""
    browser.save_screenshot(str(directory / f"{name}.png"))
