"""What prints for people prints for programs too: `--json` at every command, one line of JSON for each thing."""

import asyncio
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from broker.storage.embedded import EmbeddedEngine
from handlers.__main__ import COMMANDS, Commands, main
from tests.broker_server import BrokerServer

PRINTS_NOTHING = {"serve", "worker", "channels"}
"""They log, or are groups of others."""


def commands() -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    context = click.Context(main)
    assert isinstance(main, Commands)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {inner}": each for inner, each in command.commands.items()}
    return found


@pytest.mark.parametrize("name", sorted(commands().keys() - PRINTS_NOTHING))
def test_every_command_that_prints_has_json(name: str) -> None:
    assert "--json" in [option for each in commands()[name].params for option in each.opts]


def ask(*words: str) -> str:
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_token_says_what_it_is_for(tmp_path: Path) -> None:
    told = json.loads(
        ask("token", "--data", str(tmp_path), "--scope", "sub:x", "--sub", "me", "--expires", "1h", "--json")
    )
    assert told["token"].startswith("eyJ")
    assert (told["scopes"], told["sub"], told["name"]) == (["sub:x"], "me", None)
    assert told["expires_at"].endswith("Z")


def test_keys_and_timers(shared_engine: EmbeddedEngine, engine_url: str) -> None:
    assert engine_url
    data = ["--data", str(shared_engine.data), "--json"]
    made = json.loads(ask("key", "--tenant", "acme", "--scope", "cuey", *data))
    assert made["key"].startswith("tm_") and made["key"].startswith(made["prefix"])
    [line] = ask("key", "--list", *data).splitlines()
    assert json.loads(line) == {name: value for name, value in made.items() if name != "key"}
    assert json.loads(ask("key", "--revoke", made["id"], *data))["revoked_at"]
    assert json.loads(ask("timers", *data)) == {"total": 0, "timers": []}


async def test_health(broker_server: BrokerServer) -> None:
    words = ["healthcheck", "--port", str(broker_server.port), "--json"]
    assert isinstance(json.loads(await asyncio.to_thread(ask, *words)), dict)
