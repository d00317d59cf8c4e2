"""Concurrent random calls of two processes on a real engine against a sequential model.

The log tells the order: replayed in it, one after another, the calls must come to the very states that are kept; and
every answer, refusals too, must be one that the model gives at some moment between the call and its answer.
"""

import asyncio
import random
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from broker.change import DocumentKey
from broker.errors import Conflict, NotFound, Refusal
from broker.strictjson import parse_stored as parse_json
from handlers.lifecycle import decisions
from handlers.lifecycle.decisions import Draft
from handlers.lifecycle.documents import key_of, parse_stored
from handlers.lifecycle.events import team_of
from handlers.lifecycle.machine import Command, Kind, LifecycleEvent, Orientation, Plan, Schedule, Status
from handlers.lifecycle.wire import Named
from tests.handlers.lifecycle.calls import fresh
from tests.stores import Store, open_store

TENANT = "acme"
TEAM = team_of(TENANT)
CALLS = 150
AT_ONCE = 10
MOVES = {
    Status.StatusPending: {Command.START: Status.StatusStarted, Command.CANCEL: Status.StatusCanceled},
    Status.StatusStarted: {Command.FINISH: Status.StatusFinished, Command.CANCEL: Status.StatusCanceled},
}
LEADS_TO = {
    Command.START: Status.StatusStarted,
    Command.FINISH: Status.StatusFinished,
    Command.CANCEL: Status.StatusCanceled,
}
States = dict[str, Status]


@dataclass
class Call:
    """A call: a move of these events, or where there is no command a Create."""

    command: Command | None
    ids: tuple[str, ...]
    title: str = "one"
    outcome: list[str] | Refusal = field(default_factory=list)
    seen: tuple[int, int] = (0, 0)


def modelled(states: States, titles: dict[str, str], call: Call) -> States | str:
    """The states after a call, or the code of its refusal: the contract's rules, written without the machine."""
    if call.command is None:
        if any(each in states and titles[each] != call.title for each in call.ids):
            return "already_exists"
        return {**dict.fromkeys(call.ids, Status.StatusPending), **states}
    if any(each not in states for each in call.ids):
        return "not_found"
    after = dict(states)
    for each in call.ids:
        if states[each] is LEADS_TO[call.command]:
            continue
        if call.command not in MOVES.get(states[each], {}):
            return "failed_precondition"
        after[each] = MOVES[states[each]][call.command]
    return after


def made_up(rng: random.Random, ids: list[str]) -> list[Call]:
    calls = []
    for number in range(CALLS):
        chosen = tuple(rng.sample(ids, rng.randint(1, 4)))
        ends = (Command.FINISH, Command.CANCEL) if number > CALLS / 4 else ()
        command = rng.choice((None, None, Command.START, Command.START, *ends))
        calls.append(Call(command, chosen, rng.choice(("one", "one", "one", "two"))))
    return calls


async def execute(store: Store, call: Call) -> None:
    """Do the call, and note what came of it."""
    if call.command is None:
        drafts = [Draft(plan_of(each, call.title), *fresh(2)) for each in call.ids]
        decide = partial(decisions.creating, TENANT, drafts, 0)
    else:
        named = [Named(0, each) for each in call.ids]
        decide = partial(decisions.moving, TENANT, call.command, named)
    keys = [key_of(TENANT, each) for each in call.ids]
    before = await count(store)
    try:
        committed = await store.commits.execute(TENANT, keys, decide, logs=(TEAM,))
        assert committed.answer is not None and committed.answer.body is not None
        call.outcome = [each["status"] for each in parse_json(committed.answer.body)["events"]]
    except (Conflict, NotFound) as refusal:
        call.outcome = refusal
    call.seen = before, await count(store)


def plan_of(event_id: str, title: str) -> Plan:
    schedule, orientation = Schedule.ScheduleUnplanned, Orientation.BroadcastOrientationVertical
    return Plan(event_id, Kind.KindIndependent, schedule, orientation, {"title": title})


async def count(store: Store) -> int:
    """How many events the log has by now."""
    await store.channels.ensure(TEAM)
    return (await store.channels.listed(TEAM.id)).meta.event_count


def histories(told: list[dict[str, Any]]) -> list[tuple[States, dict[str, str]]]:
    """The states and the titles after none, one, two... of the events told."""
    states: States = {}
    titles: dict[str, str] = {}
    found: list[tuple[States, dict[str, str]]] = [({}, {})]
    for each in told:
        data, subject = each["data"], each["data"]["subject"]
        previous = data["previous_status"]
        assert states.get(subject) is (None if previous is None else Status[previous]), "told from another state"
        states = {**states, subject: Status[data["status"]]}
        titles = {subject: data["event"]["metadata"]["title"], **titles}
        found.append((states, titles))
    return found


def check(call: Call, moments: list[tuple[States, dict[str, str]]]) -> None:
    """The outcome is the model's at a moment while the call was under way."""
    possible = [modelled(*moments[at], call) for at in range(call.seen[0], call.seen[1] + 1)]
    if isinstance(call.outcome, Refusal):
        assert call.outcome.extra["code"] in [each for each in possible if isinstance(each, str)]
    else:
        names = [[each[event_id].name for event_id in call.ids] for each in possible if not isinstance(each, str)]
        assert call.outcome in names


@pytest.mark.parametrize("seed", range(3))
async def test_concurrent_calls_are_as_if_they_had_come_one_after_another(engine_url: str, seed: int) -> None:
    rng = random.Random(seed)
    ids = fresh(8)
    calls = made_up(rng, ids)
    async with open_store(engine_url) as store, open_store(engine_url) as other:
        for at in range(0, len(calls), AT_ONCE):
            await asyncio.gather(*(execute(rng.choice((store, other)), each) for each in calls[at : at + AT_ONCE]))
        log = await store.channels.find(TEAM.id)
        told = [parse_json(frame.wire) for frame in await store.all(log)]
        keys = [key_of(TENANT, each) for each in ids]
        documents = (await store.reader.read(log.partition, keys)).loaded.documents
    moments = histories(told)
    for call in calls:
        check(call, moments)
    outcomes = {type(call.outcome) for call in calls}
    assert {list, Conflict, NotFound} <= outcomes, "all kinds of outcomes came"
    check_batches(calls, told)
    check_documents(ids, {key: each and parse_stored(each.body) for key, each in documents.items()}, told)


def check_batches(calls: list[Call], told: list[dict[str, Any]]) -> None:
    """The events of a call stand together: each run is the whole of what some call that succeeded changed."""
    succeeded = [call for call in calls if not isinstance(call.outcome, Refusal)]
    at, moments = 0, histories(told)
    while at < len(told):
        states, titles = moments[at]
        lengths = {
            len(changed)
            for call in succeeded
            if not isinstance(after := modelled(states, titles, call), str)
            and (changed := [each for each in call.ids if after.get(each) != states.get(each)])
            and [each["data"]["subject"] for each in told[at : at + len(changed)]] == changed
            and moments[at + len(changed)][0] == after
        }
        assert lengths, "a run of events that no call made"
        at += max(lengths)


def check_documents(
    ids: list[str], documents: dict[DocumentKey, LifecycleEvent | None], told: list[dict[str, Any]]
) -> None:
    """Each document is what was told of it last."""
    for event_id in ids:
        last = [each["data"] for each in told if each["data"]["subject"] == event_id][-1:]
        event = documents[key_of(TENANT, event_id)]
        assert (event is None) is (not last)
        if event is not None:
            [data] = last
            assert (event.version, event.status.name) == (data["version"], data["status"])
            assert data["event"]["start_time"] == event.start_time_ns
            versions = [each["data"]["version"] for each in told if each["data"]["subject"] == event_id]
            assert versions == list(range(1, event.version + 1))


def test_the_model_notices_a_lost_update_and_a_torn_batch() -> None:
    """The checks can fail."""
    first, second = fresh(2)

    def told(subject: str, status: str, previous: str | None) -> dict[str, Any]:
        data = {"subject": subject, "status": status, "previous_status": previous}
        return {"data": {**data, "event": {"metadata": {"title": "one"}}}}

    create = Call(None, (first, second), outcome=["StatusPending"] * 2)
    whole = [told(each, "StatusPending", None) for each in (first, second)]
    check_batches([create], whole)
    with pytest.raises((AssertionError, IndexError)):
        check_batches([create], whole[:1])
    lost = [*whole, told(first, "StatusStarted", "StatusPending"), told(first, "StatusCanceled", "StatusPending")]
    with pytest.raises(AssertionError, match="another state"):
        histories(lost)
