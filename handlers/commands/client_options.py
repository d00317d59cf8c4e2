"""What the client commands share: which server, with which token, and how they end.

exit status   0    done
              1    the server, or what was given, says no; one line on stderr says why
              2    used wrongly
              75   the server could not be had (EX_TEMPFAIL of sysexits.h): try again later
              130  Ctrl-C
              141  nobody reads the output any more
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click

from broker.config import Settings
from broker.scopes import is_scope
from broker.signing import SigningKey
from broker.signing_file import KeyFileUnfit, key_path, load_or_create
from broker.tokens import MintRequest, mint
from handlers.commands.settings import settings_of
from handlers.listening import reachable, shown
from handlers.terminal.rendering import printable
from tidemark_client import Client, Invalid, TidemarkError, Unreachable
from tidemark_client.face import Token
from tidemark_client.server_url import ServerUrl

MINTED_FOR_S = 600
PATIENCE_S = 10.0
SUBJECT = "cli"

REFUSED, AWAY, INTERRUPTED, UNREAD = 1, 75, 130, 141

EPILOG = (
    "Without --token, TIDEMARK_TOKEN is taken; without that, a token of ten minutes with just the right that is needed "
    "is signed with the key of the data directory, where there is one (--data, by default ./data, unless --url says "
    "that it is about another server)."
)

_URL = click.option(
    "--url",
    metavar="URL",
    envvar="TIDEMARK_URL",
    help="The server.  [env: TIDEMARK_URL; default: http://127.0.0.1:8000]",
)
_TOKEN = click.option(
    "--token",
    metavar="TOKEN",
    envvar="TIDEMARK_TOKEN",
    help="A channel token; others see it in ps.  [env: TIDEMARK_TOKEN]",
)
_DATA = click.option(
    "--data", "directory", metavar="DIR", help="A data directory whose key signs a token where none is given."
)


class Server(NamedTuple):
    """The server that a command is about; `token_for` a scope is the token that was given, or what signs new ones.

    A token that is signed here is new for each call, so that it never expires on the way.
    """

    url: ServerUrl
    token_for: Callable[[str], Token]

    def client(self, scope: str, *, patience_s: float = PATIENCE_S) -> Client:
        """A client with just this right; it waits so long for a server that is away, and says why."""
        return Client(self.url, token=self.token_for(scope), patience_s=patience_s, on_trouble=say)


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options `--url`, `--token` and `--data` for a command's function."""
    return _URL(_TOKEN(_DATA(command)))


def server_of(url: str | None, token: str | None, directory: str | None) -> Server:
    """The server that the options name, or the one that the settings describe; raises click's errors."""
    settings = settings_of(None, data=directory)
    server = settings.server
    own_url = f"{server.scheme}://{shown(reachable(server.host), server.port)}"
    try:
        parsed = ServerUrl.parse(url or own_url)
    except Invalid as error:
        raise click.UsageError(str(error)) from error
    signed = None if token or (url and not directory) else _signer(settings, directory)
    if signed is None:
        return Server(parsed, lambda _: token or None)
    return Server(parsed, partial(_signing, signed))


def say(line: str) -> None:
    """One line for the person at the terminal."""
    click.echo(printable(line), err=True)


@contextmanager
def exit_statuses() -> Iterator[None]:
    """Turns the ways in which a client command ends into the statuses above."""
    try:
        yield
    except TidemarkError as error:
        is_away = isinstance(error, Unreachable) and error.is_passing
        raise _ended(str(error), AWAY if is_away else REFUSED) from error
    except BrokenPipeError:
        # What is still buffered has no reader either; Python would complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(UNREAD) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


def _ended(words: str, status: int) -> SystemExit:
    say(f"Error: {words}")
    return SystemExit(status)


def _signer(settings: Settings, directory: str | None) -> Callable[[str], str] | None:
    """What signs a token of a scope with the key of the data directory, None where there is no key to be had."""
    path = key_path(Path(settings.server.data).expanduser(), settings.auth.signing_key_file)
    if not path.exists():
        if directory:
            raise click.UsageError(f"There is no signing key {path}: is {directory} the data directory of a server?")
        return None
    try:
        key = load_or_create(path)
    except KeyFileUnfit as error:
        raise click.ClickException(str(error)) from error
    return partial(_sign, key, settings.server.public_url or None)


def _signing(signed: Callable[[str], str], scope: str) -> Token:
    if not is_scope(scope):
        # A token for it would be refused for its rights, which says nothing of the slip.
        name = scope.partition(":")[2]
        raise click.UsageError(f"{printable(name)} is no channel: those are small letters, digits and hyphens")
    return partial(signed, scope)


def _sign(key: SigningKey, audience: str | None, scope: str) -> str:
    request = MintRequest((scope,), sub=SUBJECT, expires_in_s=MINTED_FOR_S)
    return mint(request, key, now_s=time.time(), audience=audience)
