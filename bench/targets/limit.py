"""The physical limit: the epoll server in C that writes the same bytes and does nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.event import around_data, publish_body
from bench.processes import running
from bench.requests import post, upgrade
from bench.stage import Stage
from bench.target import Readers, Requests, Target


@contextmanager
def limit(stage: Stage, path: str = "/") -> Iterator[Target]:
    """The limit server; at a path with `replay` readers first get all events so far."""
    words = [stage.tools.limit_server, *(part.decode() for part in around_data())]
    with running(words, stage.cores.server, stage.work / "limit.log") as child:
        port = child.read_port()
        requests = Requests(port, (post("/", publish_body()),))
        yield Target(Readers(port, (upgrade(path),)), requests, (child.pid,))
