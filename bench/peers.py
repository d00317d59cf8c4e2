"""The peers that this machine has: programs on PATH, or named by an option."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from bench.stage import Stage
from bench.target import Target
from bench.targets import centrifugo, mercure, nats, nchan, node

SYSTEM_PATH = ":/usr/sbin:/usr/local/sbin"

Start = Callable[[Stage], AbstractContextManager[Target]]

PROGRAMS = {
    "nchan": "nginx",
    "nats": "nats-server",
    "node": "node",
    "centrifugo": "centrifugo",
    "mercure": "mercure",
}
"""The program of each peer."""

STARTS: Mapping[str, Start] = {
    "nchan": nchan.nchan,
    "nats": nats.nats,
    "node": node.node,
    "centrifugo": centrifugo.centrifugo,
    "mercure": mercure.mercure,
}

GOALS = ("nchan", "nats")
"""Those that a goal names; the others are measured where they are asked for."""


class UnknownPeer(Exception):
    """There is no such peer, or it is not on this machine."""


def parse_peers(text: str, named: Mapping[str, Path]) -> dict[str, Path]:
    """The peers of a comma list: `found` means those of the goals, `all` every one, as far as they are here; `none`.

    A peer that is named must be here. Raises `UnknownPeer`.
    """
    if text == "none":
        return {}
    if text in ("found", "all"):
        wanted = PROGRAMS if text == "all" else [*GOALS, *named]
        return {name: path for name in wanted if (path := find(name, named)) is not None}
    found = {}
    for name in text.split(","):
        if name not in PROGRAMS:
            raise UnknownPeer(f"There is no peer {name!r}; there are {', '.join(PROGRAMS)}.")
        path = find(name, named)
        if path is None:
            raise UnknownPeer(f"{name} is not on this machine (its program is {PROGRAMS[name]}).")
        found[name] = path
    return found


def find(name: str, named: Mapping[str, Path]) -> Path | None:
    """The program of a peer, with all that it needs; None when something is missing."""
    if name in named:
        return named[name]
    path = shutil.which(PROGRAMS[name], path=os.environ.get("PATH", os.defpath) + SYSTEM_PATH)
    if path is None or (name == "nchan" and nchan.module() is None) or (name == "node" and not node.has_package()):
        return None
    return Path(path)


def starts_of(stage: Stage, names: Iterable[str] = tuple(STARTS)) -> dict[str, Start]:
    """How to start those of these peers that are here."""
    return {name: STARTS[name] for name in names if name in stage.peers}


def broadcasters(stage: Stage) -> dict[str, Start]:
    """The peers that are published to over HTTP, as Tidemark is."""
    return starts_of(stage, [name for name in stage.peers if name != "nats"])
