"""docs/architecture.md tells the truth: its tree is there, and a domain's decision is written as it says."""

import ast
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from broker.change import Answer, Change, Document, DocumentKey, Put, emit, join
from broker.channels import NewChannel
from broker.idempotency import make_key
from broker.storage.state import Loaded
from tests.docs.blocks import ROOT, Blocks, holds, runs
from tests.engines import running_engine
from tests.stores import Store, data_of, open_store

TEAM = NewChannel("lifecycle-team-acme", "acme")
KEYS = [DocumentKey("thing", "acme/a"), DocumentKey("thing", "acme/b")]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    with running_engine(tmp_path / "engine") as engine:
        async with open_store(engine.url) as opened:
            yield opened


@holds("docs/architecture.md#the-tree", "plain")
def test_the_tree_names_what_is_there(blocks: Blocks) -> None:
    [tree] = blocks
    folders: list[Path] = [ROOT]
    count = 0
    for line in tree.text.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        first, *others = line.split()
        names = [first]
        while others and (others[0].endswith("/") or re.fullmatch(r"\w+\.\w+", others[0])):
            names.append(others.pop(0))
        for name in names:
            assert (folders[depth] / name).exists(), line
            count += 1
        folders[depth + 1 :] = [folders[depth] / first]
    assert count > 40


@runs("docs/architecture.md#how-a-domain-is-built", "python")
async def test_a_decision_is_written_whole_and_answered_once(store: Store, blocks: Blocks) -> None:
    """The block, with a domain of two functions around it, done twice for one Idempotency-Key."""
    [block] = blocks
    await store.commits.execute("acme", [], lambda _: Change(tuple(Put(key, 0, key.id.encode()) for key in KEYS)))
    domain: dict[str, Any] = {
        **{each.__name__: each for each in (Loaded, Change, Answer, Start, join)},
        "parse": lambda document: document,
        "transition": started,
        "render": lambda _: b"started",
        "broker": store,
        "tenant": "acme",
        "keys": KEYS,
        "team": TEAM,
        "idempotency_key": make_key("k", 128, principal="p", method="POST", path="/x", body=b"{}"),
        "render_refusal": None,
    }
    code = compile(block.text, str(block), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    answers = []
    for _ in range(2):
        await eval(code, domain)  # noqa: S307 - a block of our own page
        answers.append(domain["committed"])
    assert [(each.answer.body, each.is_replayed) for each in answers] == [(b"started", False), (b"started", True)]
    frames = await store.all(await store.channels.find(TEAM.id))
    assert data_of(frames) == ["acme/a", "acme/b"]


class Start(NamedTuple):
    """The one command of the domain."""


def started(document: Document, _: Start, now_ns: int) -> Change:
    """What the command leads to."""
    assert now_ns > 10**18
    id = document.body.decode()
    told = emit(TEAM.id, "lifecycle.thing.started", id, "system-lifecycle")
    return Change((Put(DocumentKey("thing", id), document.version, b"started"),), (told,))
