"""The console in real browsers: what is given opens panels and stays in its tab, and what happens is seen at once."""

from pathlib import Path

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import picture
from tests.browser.console import PANELS, Console
from tests.serve_process import ServeProcess, serving

pytestmark = pytest.mark.timeout(180)
ROWS = ".log .event"


def shut(console: Console) -> set[str]:
    """The panels that the navigation shows as shut."""
    return set(console.run("return [...document.querySelectorAll('.nav .shut')].map((each) => each.dataset.panel)"))


def data_of(console: Console) -> list[str]:
    """What the events that are shown hold, the newest first."""
    return console.texts(f"{ROWS} .preview")


def test_each_credential_opens_its_panels(console: Console, channel: str) -> None:
    public = f"open-{channel}"
    console.server.create(public)
    console.open()
    assert shut(console) == {"webhooks", "timers", "live", "calendars", "calls", "health", "tokens"}
    console.until(lambda: public in console.texts(".channel-row strong"), "the public channel")
    assert channel not in console.texts(".channel-row strong")
    console.go("timers")
    assert console.says("needs a channel token")
    console.go("access")
    console.type("input[name=token]", console.server.token("admin", sub="ann"), Keys.ENTER)
    console.until(lambda: shut(console) == {"live", "calendars", "calls"}, "the administrator's panels")
    console.type("input[name=key]", console.key("acme", "calendar"), Keys.ENTER)
    console.until(lambda: shut(console) == {"live", "calls"}, "the tenant's panel")
    console.type("input[name=key]", console.key("globex", "live", "cuey"), Keys.ENTER)
    console.until(lambda: shut(console) == set(), "all panels")
    assert console.texts("#who") == ["ann · acme · globex"]
    console.go("channels")
    console.until(lambda: channel in console.texts(".channel-row strong"), "the private channel")


def test_a_wrong_token_and_a_wrong_key_are_said_to_be_wrong(console: Console) -> None:
    console.open("access", "not-a-token", "not-a-key", console.server.token("admin"))
    console.until(lambda: len(console.texts(".told[role=alert]:not(:empty)")) == 3, "the refusals")
    assert console.says("does not take this token") and console.says("does not take this key")
    assert console.says("a channel token, not a tenant's key") and console.texts("#who") == ["wrong token"]


def test_what_was_given_while_the_server_was_away_opens_when_it_is_back(console: Console) -> None:
    console.open("access")
    console.run("window.real = fetch; window.fetch = () => Promise.reject(new TypeError('away'))")
    console.type("input[name=token]", console.server.token("admin"), Keys.ENTER)
    console.until(lambda: console.says("The server cannot be reached."), "the failure")
    assert console.texts("#link") == ["server away"]
    console.run("window.fetch = window.real")
    console.until(lambda: shut(console) == {"live", "calendars", "calls"}, "the administrator's panels")
    assert not console.says("The server cannot be reached.") and console.texts("#link") == ["ready"]


def test_what_is_published_in_one_browser_appears_in_the_other(
    console: Console, other: Console, channel: str, tmp_path: Path
) -> None:
    console.open(f"channels/{channel}", console.server.token(f"pub:{channel}", f"sub:{channel}", sub="ann"))
    other.open(f"channels/{channel}", other.server.token(f"sub:{channel}", sub="bob"))
    for each in (console, other):
        each.until_live()
    assert other.found("textarea") == [], "who may not publish has no form"
    console.type("input[name=type]", "order.paid")
    console.type("textarea", '{"order": 7}', Keys.CONTROL, Keys.ENTER)
    for each in (console, other):
        each.until(lambda each=each: data_of(each) == ['{"order":7}'], "the event")  # type: ignore[misc]
    assert other.texts(f"{ROWS} .type") == ["order.paid"] and other.texts(f"{ROWS} .by") == ["ann"]
    other.until(lambda: {"ann", "bob"} <= set(other.texts(".plain li span")), "the readers")
    console.type("textarea", '{"order": ', Keys.CONTROL, Keys.ENTER)
    console.until(lambda: console.says("This is no JSON"), "the refusal")
    picture(console.browser, tmp_path, "published")


def test_a_log_is_scrolled_back_to_its_beginning(console: Console, channel: str) -> None:
    console.server.publish(channel, *range(90))
    console.server.publish(channel, *range(90, 180))
    console.open(f"channels/{channel}", console.server.token(f"sub:{channel}"))
    console.until_live()

    def is_at_the_beginning() -> bool:
        console.run("scrollTo(0, document.body.scrollHeight)")
        return console.says("The beginning of the log.")

    console.until(is_at_the_beginning, "the beginning")
    assert data_of(console) == [str(number) for number in reversed(range(180))]


def test_a_filter_shows_its_types_only_then_and_now(console: Console, channel: str) -> None:
    def publish(*numbers: int) -> None:
        events = [{"type": "ab"[number % 2], "data": number} for number in numbers]
        console.call("POST", f"/api/v1/channels/{channel}/events", {"events": events})

    publish(*range(80))
    console.open(f"channels/{channel}", console.server.token(f"sub:{channel}"))
    console.until_live()
    console.type("input[type=search]", "b", Keys.ENTER)
    console.until(lambda: set(console.texts(f"{ROWS} .type")) == {"b"}, "the filter")
    publish(80, 81, 82, 83)
    console.until(lambda: data_of(console)[:3] == ["83", "81", "79"], "new ones of the type")
    console.until(lambda: console.says("The beginning of the log."), "the beginning")
    assert data_of(console) == [str(number) for number in reversed(range(1, 84, 2))]


def test_hostile_data_is_shown_as_text(console: Console, channel: str) -> None:
    attack = (
        "<img src=x onerror=\"document.body.dataset.broken='yes'\"><script>document.body.dataset.broken='yes'</script>"
    )
    event = {"type": attack[:200], "data": {attack: attack, "url": "javascript:alert(1)"}, "meta": attack}
    token = console.server.token("admin", sub=attack.replace('"', ""))
    console.call("POST", f"/api/v1/channels/{channel}/events", event, key=token)
    console.call("PATCH", f"/api/v1/channels/{channel}", {"name": attack[:120], "description": attack})
    console.open("channels", console.server.token("admin"))
    console.until(lambda: any("onerror" in text for text in console.texts(".channel-row .name")), "the list")
    console.go(f"channels/{channel}")
    console.until(lambda: len(data_of(console)) == 1, "the event")
    console.found(f"{ROWS} summary")[0].send_keys(Keys.ENTER)
    console.until(lambda: any("onerror" in text for text in console.texts(".json")), "the JSON")
    assert console.run("return document.body.dataset.broken ?? null") is None
    assert console.run("return document.querySelectorAll('main img, main script').length") == 0


def test_a_reader_whose_server_restarts_misses_nothing(browser: WebDriver, tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        console = Console(server, browser)
        server.create("news", is_public=False)
        server.publish("news", 0)
        console.open("channels/news", server.token("sub:news"))
        console.until_live()
        server.kill()
        console.until(lambda: console.texts("#link") != ["live"], "the break")
        server.start()
        for first in (1, 61):
            server.publish("news", *range(first, first + 60))
        console.until(lambda: len(data_of(console)) == 121, "all of it")
        server.publish("news", 121)
        console.until(lambda: data_of(console) == [str(number) for number in reversed(range(122))], "live again")


def test_what_was_given_is_in_no_address_and_in_no_other_tab(console: Console, channel: str) -> None:
    token, key = console.server.token("admin"), console.key("acme", "cuey")
    console.open(f"channels/{channel}", token, key)
    console.until_live()
    for place in PANELS:
        console.go(place)
    addresses = console.run(
        "return [location.href, ...performance.getEntriesByType('resource').map((each) => each.name)]"
    )
    assert len(addresses) > 20
    for secret in (token, key):
        assert not [each for each in addresses if secret in each]
    first = console.browser.current_window_handle
    console.browser.switch_to.new_window("tab")
    try:
        console.browser.get(f"{console.server.url}/#/access")
        console.until(lambda: console.texts("#who") == ["no token"], "a tab without a token")
        assert console.run("return sessionStorage.length + localStorage.length + document.cookie.length") == 0
    finally:
        console.browser.close()
        console.browser.switch_to.window(first)


def test_the_policy_is_in_force_and_no_panel_breaks_it(console: Console, channel: str) -> None:
    keys = (console.key("acme", "live", "cuey"), console.key("acme", "calendar"))
    console.open(f"channels/{channel}", console.server.token("admin"), *keys)
    heard = "document.addEventListener('securitypolicyviolation', (event) => broken.push(event.violatedDirective))"
    console.run(f"window.broken = []; {heard}")
    for place in PANELS:
        console.go(place)
        console.until(lambda: console.found("main h1") != [] and console.found(".failure") == [], place)
    assert console.run("return window.broken") == []
    # That the listener hears what is broken: text as markup is refused by the browser itself.
    refused = "try { document.createElement('p').innerHTML = '<b>x</b>'; return false } catch { return true }"
    assert console.run(refused) is True
    console.until(lambda: console.run("return window.broken") != [], "the violation")
    console.browser.get_log("browser")  # type: ignore[no-untyped-call] # that it was refused


def test_an_address_that_is_not_well_encoded_is_taken_as_it_stands(console: Console) -> None:
    console.open("channels/%")
    console.until(lambda: console.found(".failure") != [], "the refusal")


def test_the_keyboard_alone_is_enough(console: Console, channel: str) -> None:
    console.server.publish(channel, {"n": 1}, {"n": 2})
    console.open("access", console.server.token("admin"))
    console.until(lambda: shut(console) == {"live", "calendars", "calls"}, "the token")
    console.found("body")[0].send_keys("1")
    console.until(lambda: console.found(f"[data-channel={channel}]") != [], "the list")
    console.press("/")
    console.press(channel)
    console.until(lambda: len(console.found(".channel-row[data-channel]")) == 1, "the search")
    console.press(Keys.ESCAPE)
    console.press("j")
    assert console.run("return document.activeElement.dataset.channel") == channel
    assert console.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    console.press(Keys.ENTER)
    console.until(lambda: data_of(console) == ['{"n":2}', '{"n":1}'], "the log")
    console.until_live()
    console.press("j")
    console.press("j")
    console.press(Keys.ENTER)
    console.until(lambda: console.texts(".event[open] .json .number") == ["1"], "the JSON")
    console.press("p")
    console.server.publish(channel, {"n": 3})
    console.until(lambda: console.says("Go on (1 new)"), "the pause")
    console.press("p")
    console.until(lambda: data_of(console)[0] == '{"n":3}', "going on")
    console.press("?")
    console.until(lambda: console.found("dialog[open]") != [], "the help")
    console.press(Keys.ESCAPE)
    console.until(lambda: console.found("dialog[open]") == [], "the help to go")


def test_every_panel_fits_a_phone_in_the_dark(
    server: ServeProcess, phone: WebDriver, channel: str, tmp_path: Path
) -> None:
    console = Console(server, phone)
    console.server.publish(channel, {"text": "x" * 3_000, "more": {"deep": ["y" * 300]}})
    keys = (console.key("acme", "live", "cuey"), console.key("acme", "calendar"))
    console.open(f"channels/{channel}", server.token("admin"), *keys)
    console.until(lambda: len(data_of(console)) == 1, "the event")
    console.found(f"{ROWS} summary")[0].send_keys(Keys.ENTER)
    for place in (None, *PANELS):
        if place:
            console.go(place)
            console.until(lambda: console.found("main h1") != [], str(place))
        picture(phone, tmp_path, f"phone-{place or 'log'}")
        wide, inner = console.run("return [document.documentElement.scrollWidth, innerWidth]")
        assert wide <= inner, place
    assert console.run("return getComputedStyle(document.body).backgroundColor") == "rgb(13, 19, 25)"
    assert console.run("return document.getAnimations().length") == 0
