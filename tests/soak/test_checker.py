"""The checker finds nothing in what keeps the promises, and everything that is planted into it."""

import random
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from soak.checker import KINDS, check
from soak.history import Event, Gap, History, Publish, Reading, Seen
from tests.soak.histories import CHANNEL, RED, event_id, histories

Plant = Callable[[History, random.Random], None]
BEYOND = event_id(10**20)


def log_of(history: History) -> list[Event]:
    return history.logs[CHANNEL]


def acked_and_kept(history: History) -> list[Publish]:
    floor = log_of(history)[0].id
    return [each for each in history.publishes if each.ids and each.ids[0] > floor]


def batches(history: History) -> list[Publish]:
    """Those of which trimming took nothing: behind the first event, as nobody knows what was before that."""
    names = [event.name for event in log_of(history)[1:]]
    return [each for each in history.publishes if len(each.events) > 2 and each.events[0][0] in names]


def seen_steps(history: History, chance: random.Random, least: int = 1) -> tuple[Reading, list[int]]:
    """A reader that was given enough, and which of its steps are events that are in the log."""
    kept = {event.id for event in log_of(history)}
    found = []
    for reading in history.readings:
        steps = [n for n, step in enumerate(reading.steps) if isinstance(step, Seen) and step.event.id in kept]
        if len(steps) >= least:
            found.append((reading, steps))
    assume(found)
    return chance.choice(found)


def lose_an_acknowledged_event(history: History, chance: random.Random) -> None:
    publishes = acked_and_kept(history)
    assume(publishes)
    lost = chance.choice(chance.choice(publishes).ids)
    history.logs[CHANNEL] = [event for event in log_of(history) if event.id != lost]


def lose_the_first_events_of_a_channel_that_is_not_trimmed(history: History, _: random.Random) -> None:
    assume(not history.trimmed)
    del log_of(history)[0]


def store_an_event_twice(history: History, chance: random.Random) -> None:
    event = chance.choice(log_of(history))
    log_of(history).append(event._replace(id=BEYOND))


def store_a_part_of_a_batch(history: History, chance: random.Random) -> None:
    found = batches(history)
    assume(found)
    batch = chance.choice(found)
    batch.ids, batch.acked_s = (), None
    history.logs[CHANNEL] = [event for event in log_of(history) if event.name != batch.events[-1][0]]


def store_an_event_within_a_batch(history: History, chance: random.Random) -> None:
    found = batches(history)
    assume(found)
    names = [event.name for event in log_of(history)]
    place = names.index(chance.choice(found).events[0][0])
    log_of(history).insert(place + 1, Event(log_of(history)[place].id + "0", "another", None))


def show_the_log_out_of_order(history: History, chance: random.Random) -> None:
    log = log_of(history)
    assume(len(log) > 2)
    place = chance.randrange(1, len(log) - 1)
    log[place], log[place + 1] = log[place + 1], log[place]


def store_what_began_later_before(history: History, _: random.Random) -> None:
    first = min((each for each in history.publishes if each.ids), key=lambda each: each.ids)
    latest_s = max(each.acked_s or 0.0 for each in history.publishes)
    first.began_s, first.acked_s = latest_s + 1, latest_s + 2


def acknowledge_under_another_id(history: History, chance: random.Random) -> None:
    publishes = acked_and_kept(history)
    assume(publishes)
    publish = chance.choice(publishes)
    publish.ids = (*publish.ids[:-1], publish.ids[-1] + "5")


def acknowledge_fewer_ids_than_events(history: History, chance: random.Random) -> None:
    publish = chance.choice([each for each in history.publishes if each.ids])
    publish.ids = publish.ids[:-1]


def deliver_another_content(history: History, chance: random.Random) -> None:
    reading, steps = seen_steps(history, chance)
    number = chance.choice(steps)
    step = reading.steps[number]
    assert isinstance(step, Seen)
    reading.steps[number] = Seen(step.event._replace(name="other"), step.at_s)


def deliver_an_event_that_is_not_in_the_log(history: History, chance: random.Random) -> None:
    reading, _ = seen_steps(history, chance)
    reading.steps.append(Seen(Event(BEYOND, history.publishes[0].events[0][0], "red"), 1e9))


def store_what_nobody_published(history: History, _: random.Random) -> None:
    log_of(history).append(Event(BEYOND, "nobody's", "red"))


def skip_an_event(history: History, chance: random.Random) -> None:
    reading, steps = seen_steps(history, chance)
    del reading.steps[chance.choice(steps)]


def end_before_the_end(history: History, chance: random.Random) -> None:
    reading, steps = seen_steps(history, chance)
    del reading.steps[steps[-1] :]


def deliver_an_event_again(history: History, chance: random.Random) -> None:
    reading, steps = seen_steps(history, chance)
    number = chance.choice(steps)
    reading.steps.insert(chance.randint(number + 1, len(reading.steps)), reading.steps[number])


def deliver_two_in_the_wrong_order(history: History, chance: random.Random) -> None:
    reading, steps = seen_steps(history, chance, 2)
    one = chance.choice(steps[:-1])
    reading.steps[one], reading.steps[one + 1] = reading.steps[one + 1], reading.steps[one]


def let_another_type_through(history: History, chance: random.Random) -> None:
    event = chance.choice(log_of(history))
    assume(event.type not in RED)
    reading = Reading("filtered", CHANNEL, event_id(0), RED, until=event_id(1))
    reading.steps.append(Seen(event, 1.0))
    history.readings.append(reading)


def declare_a_gap_where_there_is_none(history: History, chance: random.Random) -> None:
    reading, steps = seen_steps(history, chance)
    number = chance.choice(steps)
    step = reading.steps[number]
    assert isinstance(step, Seen)
    reading.steps[number] = Gap(step.event.id, step.at_s)


PLANTS: list[tuple[str, Plant]] = [
    ("lost", lose_an_acknowledged_event),
    ("lost", lose_the_first_events_of_a_channel_that_is_not_trimmed),
    ("doubled", store_an_event_twice),
    ("torn", store_a_part_of_a_batch),
    ("torn", store_an_event_within_a_batch),
    ("unordered", show_the_log_out_of_order),
    ("overtaken", store_what_began_later_before),
    ("altered", acknowledge_under_another_id),
    ("altered", acknowledge_fewer_ids_than_events),
    ("altered", deliver_another_content),
    ("altered", deliver_an_event_that_is_not_in_the_log),
    ("foreign", store_what_nobody_published),
    ("skipped", skip_an_event),
    ("skipped", end_before_the_end),
    ("repeated", deliver_an_event_again),
    ("reordered", deliver_two_in_the_wrong_order),
    ("unwanted", let_another_type_through),
    ("false-gap", declare_a_gap_where_there_is_none),
]


@given(histories())
def test_a_history_that_keeps_every_promise_has_no_violation(history: History) -> None:
    verdict = check(history)
    assert verdict.violations == []
    assert verdict.acknowledged == sum(len(each.ids) for each in history.publishes)


@pytest.mark.parametrize(("kind", "plant"), PLANTS, ids=[plant.__name__ for _, plant in PLANTS])
@given(history=histories(), seed=st.integers(0, 1 << 32))
def test_what_is_planted_is_found(kind: str, plant: Plant, history: History, seed: int) -> None:
    plant(history, random.Random(seed))
    assert check(history).counts[kind] >= 1


def test_every_kind_of_violation_is_planted() -> None:
    assert {kind for kind, _ in PLANTS} | {"remark"} == set(KINDS)


def test_remarks_are_violations() -> None:
    verdict = check(History(remarks=["a publish was answered 500"]))
    assert verdict.counts["remark"] == 1 and verdict.violations[0].text == "a publish was answered 500"


@given(histories(is_trimmed=True))
def test_what_was_declared_to_be_gone_is_counted(history: History) -> None:
    gone = [step for reading in history.readings for step in reading.steps if isinstance(step, Gap)]
    assert (check(history).declared > 0) <= bool(gone)


def test_a_gap_that_hides_what_was_trimmed_is_no_violation_but_silence_about_it_is() -> None:
    drafts = tuple((f"e{number}", None) for number in range(1, 5))
    ids = tuple(event_id(number) for number in range(1, 5))
    events = [Event(one, *draft) for one, draft in zip(ids, drafts, strict=True)]
    told = Reading("told", CHANNEL, event_id(0), steps=[Gap(ids[1], 1.0), Seen(events[2], 2.0), Seen(events[3], 3.0)])
    silent = Reading("silent", CHANNEL, event_id(0), steps=[Seen(events[2], 2.0), Seen(events[3], 3.0)])
    publish = Publish("p", CHANNEL, drafts, 0.0, 0.5, ids, 1)
    history = History([publish], [told, silent], logs={CHANNEL: events[2:]}, trimmed=frozenset({CHANNEL}))
    verdict = check(history)
    assert verdict.declared == 2
    assert [each.kind for each in verdict.violations] == ["skipped", "skipped"]
    assert all("silent" in each.text for each in verdict.violations)
