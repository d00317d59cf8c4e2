"""`./run publish`: append events to a channel, each once, however often the connection breaks."""

import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

import click

from broker.durations import parse_duration
from broker.errors import Invalid
from handlers.commands.client_options import EPILOG, exit_statuses, say, server_of, server_options
from handlers.commands.output import json_option
from handlers.terminal.lines import check_json, good_beginning, lines_at_hand
from handlers.terminal.progress import file_progress
from tidemark_client import Client, Draft, Event, RawJson, Refused, Unreachable
from tidemark_client.requests import BATCH_EVENTS

STDIN = "-"


class Batch(NamedTuple):
    """JSON texts to be published together, and what they are called when something is wrong with them."""

    name: str
    data: list[bytes]


@click.command(epilog=EPILOG)
@click.argument("channel")
@click.argument("data", required=False, metavar="[DATA|-]", default=STDIN)
@click.option("--type", "type_name", help="The type of the events.")
@click.option("--key", help="The Idempotency-Key of DATA: with the same one it is stored once, however often you try.")
@click.option("--retry-for", "patience", default="1m", show_default=True, help="How long to wait for an absent server.")
@json_option("Print each new event as JSON instead of its id.")
@server_options
def publish(
    *,
    channel: str,
    data: str,
    type_name: str | None,
    key: str | None,
    patience: str,
    as_json: bool,
    url: str | None,
    token: str | None,
    directory: str | None,
) -> None:
    """Publish DATA, a JSON value, or each line of stdin, to CHANNEL. Prints the ids of the new events.

    Each request has an Idempotency-Key, so it is safely sent again when the server restarts or the connection breaks.
    Lines are sent as they come, up to a hundred at once. A line that is no JSON ends the command, when all lines before
    it are published.
    """
    if key and data == STDIN:
        raise click.UsageError("--key is for DATA; lines of stdin get keys of their own")
    batches = _lines() if data == STDIN else iter([_one(data)])
    client = server_of(url, token, directory).client(f"pub:{channel}", patience_s=_seconds(patience))
    with exit_statuses():
        for batch in batches:
            events = _publish(
                client, channel, [Draft(RawJson(data), type_name) for data in batch.data], batch.name, key
            )
            click.echo("\n".join(event.text if as_json else event.id for event in events))


def _publish(client: Client, channel: str, drafts: list[Draft], name: str, key: str | None) -> list[Event]:
    try:
        return client.publish_batch(channel, drafts, key=key)
    except Refused as error:
        raise Refused(error.status, f"{name} not published: {error.message}") from error
    except Unreachable as error:
        raise Unreachable(f"{name} perhaps not published: {error}", is_passing=error.is_passing) from error


def _one(data: str) -> Batch:
    try:
        return Batch("DATA", [check_json(os.fsencode(data))])
    except Invalid as error:
        raise click.UsageError(f"DATA is {error.message}") from error


def _lines() -> Iterator[Batch]:
    """Batches of stdin's lines; ends with click's error behind the last good line before a bad one."""
    if sys.stdin.isatty():
        say("Reading JSON lines; Ctrl-D ends them")
    try:
        with file_progress(sys.stdin.fileno()) as moved:
            for lines in lines_at_hand(sys.stdin.fileno()):
                data, fault = good_beginning(lines)
                for i in range(0, len(data), BATCH_EVENTS):
                    part = data[i : i + BATCH_EVENTS]
                    yield Batch(_name(lines[i].number, lines[i + len(part) - 1].number), part)
                    moved(sum(len(text) + 1 for text in part))
                if fault is not None:
                    raise fault
    except Invalid as error:
        raise click.ClickException(f"{error.message}; all lines before it are published") from error


def _name(first: int, last: int) -> str:
    return f"line {first}" if first == last else f"lines {first} to {last}"


def _seconds(patience: str) -> int:
    try:
        return parse_duration(patience)
    except Invalid as error:
        raise click.UsageError(f"--retry-for: {error.message}") from error
