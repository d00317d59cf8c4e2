"""Histories of a broker that keeps its promises, of any shape, for the checker to find nothing in."""

import random

from hypothesis import strategies as st

from soak.history import Event, Gap, History, Publish, Reading, Seen

CHANNEL = "news"
RED = frozenset({"red"})


def event_id(number: int) -> str:
    """Ids that order as text."""
    return f"{number:026d}"


def made_history(chance: random.Random, publishes: int, *, is_trimmed: bool) -> History:
    """Publishes that overlap, some never acknowledged, and readers with and without a filter."""
    history = History(trimmed=frozenset({CHANNEL}) if is_trimmed else frozenset())
    number = 10
    events: list[Event] = []
    for at_s in range(publishes):
        drafts = tuple((f"e{number + i}", chance.choice(("red", None))) for i in range(chance.randint(1, 4)))
        stored = [Event(event_id(number + i), *draft) for i, draft in enumerate(drafts)]
        number += len(drafts) + chance.randint(0, 2)
        publish = Publish(f"p{at_s % 3}", CHANNEL, drafts, at_s - chance.uniform(0, 2), tries=1)
        is_acked = chance.random() < 0.8 or at_s in (0, publishes - 1)
        if is_acked:
            publish.acked_s, publish.ids = at_s + chance.uniform(0, 2), tuple(event.id for event in stored)
        if is_acked or chance.random() < 0.5:
            events += stored
        history.publishes.append(publish)
    floor = chance.randrange(max(1, len(events) - 2)) if is_trimmed else 0
    history.logs[CHANNEL] = events[floor:]
    for who in range(4):
        history.readings.append(made_reading(chance, f"r{who}", events, floor, RED if who % 2 else None))
    return history


def made_reading(
    chance: random.Random, who: str, events: list[Event], floor: int, types: frozenset[str] | None
) -> Reading:
    """A reader from some place on: it sees what is trimmed later, or is told of the gap."""
    begin = chance.randrange(max(1, len(events) // 2))
    reading = Reading(who, CHANNEL, event_id(0) if begin == 0 else events[begin - 1].id, types, is_live=types is None)
    until = chance.choice((len(events), len(events) - 1))
    gone = chance.randint(begin, floor) if begin < floor else None
    for number in range(begin, until):
        if gone is not None and number == gone < floor:
            reading.steps.append(Gap(events[floor - 1].id, float(number)))
        is_missed = gone is not None and gone <= number < floor
        if not is_missed and reading.wants(events[number]):
            reading.steps.append(Seen(events[number], float(number)))
    reading.until = None if until == len(events) else events[until - 1].id
    return reading


@st.composite
def histories(draw: st.DrawFn, *, is_trimmed: bool | None = None) -> History:
    """Any of them."""
    seed, publishes = draw(st.integers(0, 1 << 32)), draw(st.integers(4, 30))
    trimmed = draw(st.booleans()) if is_trimmed is None else is_trimmed
    return made_history(random.Random(seed), publishes, is_trimmed=trimmed)
