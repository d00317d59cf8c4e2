"""Every key of config.toml says what it means, and tables show it with its unit."""

from broker.config import Settings
from reference.settings import CONFIG, comments, render_section, unit_of


def test_every_key_has_a_comment() -> None:
    said = comments(CONFIG.read_text())
    assert said.keys() == {(name, key) for name, section in Settings() for key in type(section).model_fields}
    assert all(meaning for _, meaning in said.values())


def test_units_come_from_the_names() -> None:
    assert [unit_of(key) for key in ("wait_s", "connections_per_s", "backoff_ms", "head_bytes", "channels")] == [
        "s",
        "a second",
        "ms",
        "bytes",
        "",
    ]


def test_a_section_shows_default_range_unit_and_meaning() -> None:
    assert "| `wait_s` | `30` | 0 to 300 | s | the longest long poll" in render_section("limits")
