"""The line that the first start prints can be pasted into a shell."""

import shlex
from pathlib import Path

import pytest

from broker.config import ServerSettings, Settings
from handlers.commands.first_steps import RUN, first_steps, run_from


def line(host: str = "127.0.0.1", data: str = "./data", config: str | None = None) -> str:
    """The curl line of a server with these settings."""
    text = first_steps(Settings(server=ServerSettings(host=host, data=data)), config, 8000, "./run")
    return text.splitlines()[2].strip()


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("fe80::1", "[fe80::1]"),
        ("events", "events"),
    ],
)
def test_it_names_an_address_that_can_be_reached(host: str, shown: str) -> None:
    assert f"http://{shown}:8000/api/v1/channels" in line(host)


def test_it_asks_for_a_token_of_an_hour_from_the_same_data_and_configuration() -> None:
    asks = "$(./run token --data 'my data' --config mine.toml --scope admin --expires 1h)"
    assert asks in line(data="my data", config="mine.toml")


def test_it_is_one_command_of_a_shell() -> None:
    words = shlex.split(line())
    assert words[:3] == ["curl", "-X", "POST"]
    assert words[-1] == '{"id": "hello", "name": "Hello", "is_public": true}'


def test_the_line_names_run_as_it_is_found_from_here(tmp_path: Path) -> None:
    assert RUN.exists()
    assert run_from(RUN.parent) == "./run"
    assert run_from(tmp_path) == str(RUN)
