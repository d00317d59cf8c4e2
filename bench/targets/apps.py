"""The baselines in Python: `bench.apps` under plain uvicorn."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.event import publish_body
from bench.processes import running, split_family
from bench.requests import get, post, upgrade
from bench.stage import Stage
from bench.target import Readers, Requests, Target


@contextmanager
def stock(stage: Stage) -> Iterator[Target]:
    """Starlette with a loop of `await send_text`."""
    with _app(stage, "stock") as (port, pids):
        yield Target(Readers(port, (upgrade("/"),)), Requests(port, (post("/", publish_body()),)), pids)


@contextmanager
def raw(stage: Stage) -> Iterator[Target]:
    """A raw ASGI app that parses a publish and renders an answer, without an engine."""
    with _app(stage, "raw") as (port, pids):
        yield Target(requests=Requests(port, (post("/", publish_body()),)), servers=pids)


@contextmanager
def plain(stage: Stage) -> Iterator[Target]:
    """A raw ASGI app that answers plain text."""
    with _app(stage, "raw") as (port, pids):
        yield Target(requests=Requests(port, (get("/"),)), servers=pids)


@contextmanager
def decode(stage: Stage, engine_url: str, cursors: tuple[str, ...]) -> Iterator[Target]:
    """Starlette that reads pages with redis-py, decodes every event and encodes the page."""
    with _app(stage, "pages", engine_url) as (port, pids):
        requests = tuple(get(f"/?after={cursor}") for cursor in cursors)
        yield Target(requests=Requests(port, requests), servers=pids)


@contextmanager
def _app(stage: Stage, *words: str) -> Iterator[tuple[int, tuple[int, ...]]]:
    command = [sys.executable, "-P", "-m", "bench.apps", *words]
    with running(command, stage.cores.server, stage.work / f"{words[0]}.log") as child:
        port = child.read_port()
        yield port, split_family(child.pid)[0]
