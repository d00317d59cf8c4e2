"""Node with the `ws` package: a loop of `send` over all clients. It keeps no history.

The package is looked for in the benchmark's cache: `npm install --prefix ~/.cache/tidemark-bench ws`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.event import wire_event
from bench.native import default_cache
from bench.processes import running, split_family
from bench.requests import post, upgrade
from bench.stage import Stage
from bench.target import Readers, Requests, Target

SCRIPT = Path(__file__).with_name("node_server.js")


@contextmanager
def node(stage: Stage) -> Iterator[Target]:
    """One process."""
    environ = {**os.environ, "NODE_PATH": str(_modules())}
    with running([stage.peers["node"], SCRIPT], stage.cores.server, stage.work / "node.log", environ) as child:
        port = child.read_port()
        requests = Requests(port, (post("/", wire_event()),))
        yield Target(Readers(port, (upgrade("/"),)), requests, split_family(child.pid)[0])


def has_package() -> bool:
    """Whether the package is installed."""
    return (_modules() / "ws").is_dir()


def _modules() -> Path:
    return default_cache() / "node_modules"
