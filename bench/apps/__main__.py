"""`python -m bench.apps stock|raw|pages [ENGINE]`: one of the apps under plain uvicorn, on a port that it prints."""

import socket
import sys
from collections.abc import Callable
from typing import Any

import click
import uvicorn

from bench.apps.pages import pages_app
from bench.apps.raw import raw_app
from bench.apps.stock import stock_app

APPS: dict[str, Callable[..., Any]] = {"stock": stock_app, "raw": lambda: raw_app, "pages": pages_app}


def main(name: str, *words: str) -> None:
    """Serve until SIGTERM. The settings are those that are best for these apps."""
    app = APPS[name](*words)
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        http="httptools",
        loop="uvloop",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=75,
        backlog=4096,
    )
    click.echo(listener.getsockname()[1])
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
