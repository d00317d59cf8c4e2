"""Concurrent commands of two processes on a real engine against a sequential model.

The log tells the order: replayed in it, one after another, the commands must come to the very states that were written,
event by event, document by document. Some are sent twice with one Idempotency-Key, some twice without one.
"""

import asyncio
import json
import random
from dataclasses import dataclass, replace
from typing import Any

import pytest

from broker.change import NOTHING, Answer, Change, Document, DocumentKey, Emitted, Entry, Put, emit, join
from broker.channels import NewChannel
from broker.errors import Conflict, Refusal
from broker.idempotency import make_key
from broker.storage.commit import Committed
from broker.storage.state import Loaded
from broker.timers import Timer, TimerName
from tests.stores import Store, data_of

OWNER = "acme"
LOG = NewChannel("lifecycle-team-acme", "acme")
ORG = NewChannel("calendar-org-acme", "acme")
NAMES = ("a", "b", "c")
ALLOWED = {"open": ("busy", "shut"), "busy": ("open", "shut"), "shut": ()}
COMMANDS = 120


@dataclass(frozen=True)
class Thing:
    """The state of one document."""

    status: str = "open"
    changes: int = 0


@dataclass(frozen=True)
class Command:
    """Bring all of these things to a status, or none of them."""

    number: int
    names: tuple[str, ...]
    status: str
    key: str | None


def moved(thing: Thing, status: str) -> Thing:
    """The machine: repeating changes nothing; raises `Conflict`."""
    if thing.status == status:
        return thing
    if status not in ALLOWED[thing.status]:
        raise Conflict(f"{thing.status} cannot become {status}")
    return Thing(status, thing.changes + 1)


def key_of(name: str) -> DocumentKey:
    return DocumentKey("thing", f"acme/{name}")


def parse(document: Document | None) -> Thing:
    return Thing(**json.loads(document.body)) if document else Thing()


def render(thing: Thing) -> bytes:
    return json.dumps({"status": thing.status, "changes": thing.changes}).encode()


def change_of(name: str, document: Document | None, command: Command) -> Change:
    before = parse(document)
    after = moved(before, command.status)
    if after == before:
        return NOTHING
    put = Put(key_of(name), document.version if document else 0, render(after), (Entry(after.status, 0, name),))
    data = {"command": command.number, "name": name, "status": after.status, "changes": after.changes}
    timer = TimerName("tick", OWNER, name)
    events: tuple[Emitted, ...] = tuple(emit(log.id, "t", data, "system-lifecycle") for log in (LOG, ORG))
    return Change((put,), events, (timer if after.status == "shut" else Timer(timer, 1 << 45),))


async def execute(store: Store, command: Command) -> Committed | Refusal:
    def decide(loaded: Loaded) -> Change:
        parts = [change_of(name, loaded.documents[key_of(name)], command) for name in command.names]
        return join(parts, Answer(200, b"%d" % command.number, LOG.id))

    key = make_key(command.key, 99, principal="p", method="POST", path="/", body=b"") if command.key else None
    try:
        return await store.commits.execute(
            OWNER,
            [key_of(name) for name in command.names],
            decide,
            logs=(LOG, ORG),
            key=key,
            refuse=lambda refusal: Answer(409, b"%d" % command.number),
        )
    except Conflict as refusal:
        return refusal


def made_up(rng: random.Random) -> list[Command]:
    statuses = ("open", "busy", "open", "busy", "open", "busy", "shut")
    commands = []
    for number in range(COMMANDS):
        names = tuple(rng.sample(NAMES, rng.randint(1, 3)))
        status = rng.choice(statuses) if number > COMMANDS / 2 else rng.choice(("open", "busy"))
        key = f"key-{number}" if rng.random() < 0.5 else None
        commands.append(Command(number, names, status, key))
    return commands


def replay(events: list[dict[str, Any]], commands: dict[int, Command]) -> dict[str, Thing]:
    """The states after the commands of these events, each checked against the machine."""
    things = dict.fromkeys(NAMES, Thing())
    applied = 0
    while applied < len(events):
        command = commands[events[applied]["command"]]
        before = things
        things = {**before, **{name: moved(before[name], command.status) for name in command.names}}
        expected = [name for name in command.names if things[name] != before[name]]
        assert expected, "an event of a command that changed nothing"
        batch = events[applied : applied + len(expected)]
        assert [event["command"] for event in batch] == [command.number] * len(expected), "a batch is whole"
        assert [event["name"] for event in batch] == expected
        assert [(event["status"], event["changes"]) for event in batch] == [
            (things[name].status, things[name].changes) for name in expected
        ]
        applied += len(expected)
    return things


@pytest.mark.parametrize("seed", range(4))
async def test_concurrent_commands_are_as_if_they_had_come_one_after_another(
    store: Store, other: Store, seed: int
) -> None:
    rng = random.Random(seed)
    commands = made_up(rng)
    twice = [command for command in commands if rng.random() < 0.3]
    jobs = [(rng.choice((store, other)), command) for command in commands + twice]
    rng.shuffle(jobs)
    outcomes = []
    for at in range(0, len(jobs), 12):
        outcomes += await asyncio.gather(*(execute(each, command) for each, command in jobs[at : at + 12]))
    log, org = [await store.channels.find(each.id) for each in (LOG, ORG)]
    events = data_of(await store.all(log))
    assert data_of(await store.all(org)) == events
    things = replay(events, {command.number: command for command in commands})
    loaded = (await store.reader.read(log.partition, [key_of(name) for name in NAMES])).loaded
    assert {name: parse(loaded.documents[key_of(name)]) for name in NAMES} == things
    await check_keys(jobs, outcomes)
    await check_indexes_and_timers(store, log.partition, things)


async def check_keys(jobs: list[tuple[Store, Command]], outcomes: list[Committed | Refusal]) -> None:
    """A key was answered once, and its second call got the first one's answer."""
    by_key: dict[str, list[Committed | Refusal]] = {}
    for (_, command), outcome in zip(jobs, outcomes, strict=True):
        if command.key is not None:
            by_key.setdefault(command.key, []).append(outcome)
    for pair in (each for each in by_key.values() if len(each) == 2):
        fresh = [each for each in pair if isinstance(each, Refusal) or not each.is_replayed]
        assert len(fresh) == 1
        [again] = [each for each in pair if isinstance(each, Committed) and each.is_replayed]
        assert again.answer is not None
        expected = (409, None) if isinstance(fresh[0], Refusal) else (200, fresh[0].answer and fresh[0].answer.cursor)
        assert (again.answer.status, again.answer.cursor) == expected


async def check_indexes_and_timers(store: Store, partition: int, things: dict[str, Thing]) -> None:
    touched = {name: thing for name, thing in things.items() if thing.changes}
    for status in ALLOWED:
        expected = sorted(name for name, thing in touched.items() if thing.status == status)
        found = await store.engine.client.zrange(f"{{p{partition:02d}}}:index:{status}", 0, -1)
        assert found == [name.encode() for name in expected]
    armed = await store.engine.client.zrange(f"{{p{partition:02d}}}:timers", 0, -1)
    assert sorted(armed) == sorted(f"tick/acme/{n}".encode() for n, each in touched.items() if each.status != "shut")


def test_the_model_notices_a_lost_update() -> None:
    """The check can fail: two commands that both moved from the same state are not one after another."""
    commands = {n: Command(n, ("a",), "busy", None) for n in (1, 2)}
    event = {"command": 1, "name": "a", "status": "busy", "changes": 1}
    assert replay([event], commands)["a"] == replace(Thing(), status="busy", changes=1)
    with pytest.raises(AssertionError):
        replay([event, {**event, "command": 2}], commands)
