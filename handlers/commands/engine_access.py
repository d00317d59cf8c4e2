"""How operators' commands reach the engine: the one that a running server keeps, or the one that `[engine] url` names.

They need the data directory, or access to the engine, and no token.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from broker.config import Settings
from broker.config_values import EMBEDDED
from broker.errors import Refusal
from broker.storage.clock import Clock
from broker.storage.engine import Engine, EngineUnfit
from broker.storage.engine_files import EngineFault, attach_url
from handlers.wiring import connected_engine

T = TypeVar("T")


def on_engine(settings: Settings, ask: Callable[[Engine], Awaitable[T]]) -> T:
    """What `ask` answers with a connected engine; raises click's errors, with a text that says how to mend it."""
    try:
        configured = settings.engine
        url = attach_url(settings.server.data) if configured.url == EMBEDDED else configured.url
        return asyncio.run(_ask(settings, url, ask))
    except (EngineFault, EngineUnfit) as error:
        raise click.ClickException(str(error)) from error
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal


async def _ask(settings: Settings, url: str, ask: Callable[[Engine], Awaitable[T]]) -> T:
    engine = await connected_engine(settings, url)
    try:
        # The clock is that of the data, also where this command was not told the server's settings.
        await Clock(engine, is_test=True).look()
        return await ask(engine)
    finally:
        await engine.close()
