"""Settings: the defaults, and their commented copy in config.toml."""

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from broker.config import AuthSettings, LimitSettings, ServerSettings, Settings
from broker.config_sources import load_settings
from broker.events import EventLimits

CONFIG_TOML = Path(__file__).parents[2] / "config.toml"


def test_config_toml_says_every_default_and_nothing_else() -> None:
    assert tomllib.loads(CONFIG_TOML.read_text()) == Settings().model_dump(mode="json")


def test_every_default_is_within_its_own_bounds() -> None:
    assert load_settings(CONFIG_TOML, {}) == Settings()


def test_settings_cannot_be_changed_after_the_start() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().server.port = 1


@pytest.mark.parametrize("url", ["ftp://x", "https://x/", "https://x?y", "https://user@x", "x", "https://x y"])
def test_a_public_url_that_cannot_be_extended_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="public_url"):
        ServerSettings(public_url=url)


@pytest.mark.parametrize("url", ["", "http://localhost:8000", "https://example.com/events"])
def test_public_urls_that_are_taken(url: str) -> None:
    assert ServerSettings(public_url=url).public_url == url


@pytest.mark.parametrize("origin", ["example.com", "https://example.com/", "https://a b", ""])
def test_an_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError, match="allowed_origins"):
        ServerSettings(allowed_origins=(origin,))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"tls_certificate": "a"}, "both or not at all"),
        ({"tls_key": "a"}, "both or not at all"),
        ({"tls_key_password_file": "a"}, "of no use without tls_key"),
    ],
)
def test_a_certificate_comes_with_its_key(table: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate({"server": table})


def test_a_server_with_a_certificate_is_reached_by_https() -> None:
    assert Settings().server.scheme == "http"
    with_tls = Settings.model_validate({"server": {"tls_certificate": "a", "tls_key": "b"}})
    assert with_tls.server.scheme == "https"


def test_the_limits_of_events_agree_with_the_defaults_in_code() -> None:
    limits, events = LimitSettings(), EventLimits()
    assert all(getattr(limits, name) == getattr(events, name) for name in EventLimits.__slots__)


def test_a_role_with_a_scope_that_gives_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="roles"):
        AuthSettings(roles={"editor": ["publish:news"]})
