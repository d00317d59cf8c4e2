"""How a command gets its settings: flags over the environment over `--config`, or a usage error with every problem."""

import os
from typing import Any

import click

from broker.config import Settings
from broker.config_sources import SettingsError, load_settings

CONFIG = click.option("--config", metavar="FILE", help="A configuration file; config.toml shows every key.")
DATA = click.option("--data", metavar="DIR", help="The data directory.  [default: ./data]")


def settings_of(config: str | None, **server_flags: Any) -> Settings:
    """The settings in force; `server_flags` are keys of `[server]`, None if not given. Raises click's usage error."""
    try:
        return load_settings(config, os.environ, {"server": server_flags})
    except SettingsError as error:
        raise click.UsageError("The configuration has mistakes:\n  " + "\n  ".join(error.problems)) from error
