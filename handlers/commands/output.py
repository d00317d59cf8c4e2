"""What every command that prints for people shares: `--json`, for programs that read it."""

import json
from collections.abc import Callable
from typing import Any

import click


def json_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option `--json`, as the argument `as_json`; `text` says what is printed then."""
    return click.option("--json", "as_json", is_flag=True, help=text)


def echo_json(value: Any) -> None:
    """A value on one line of stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
