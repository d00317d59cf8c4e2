"""Checks a whole history against the promises (reliability P1 to P7). Pure; each kind of violation has a test.

    lost        acknowledged, and not in the log            altered    under another id, or changed, somewhere
    doubled     published once, twice in the log            foreign    in the log, and nobody published it
    torn        a batch stored in part, or not in a row     unordered  the log's ids do not rise
    overtaken   acknowledged before another publish began, and yet behind it in the log
    skipped, repeated, reordered, unwanted, false-gap       of one reader: `soak.reader_check`
    remark      what shows without a checker, such as an answer that is neither a success nor a refusal for now

What retention removed (all ids below the first that is left) is known from its acknowledgements only.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from soak.history import Event, History, Publish, acked
from soak.reader_check import Truth, Violation, check_reading, events_declared

KINDS = (
    *("lost", "doubled", "torn", "unordered", "overtaken", "altered", "foreign"),
    *("skipped", "repeated", "reordered", "unwanted", "false-gap", "remark"),
)
TOP = "~"
"""Above every id."""


class Verdict(NamedTuple):
    """What was checked, and every violation that was found."""

    acknowledged: int
    published: int
    retried: int
    stored: int
    read: int
    readings: int
    declared: int
    dropped: int
    violations: list[Violation]

    @property
    def counts(self) -> dict[str, int]:
        """The number of violations of each kind, none left out."""
        found = Counter(each.kind for each in self.violations)
        return {kind: found[kind] for kind in KINDS}


def check(history: History) -> Verdict:
    """Check everything; the history is not changed."""
    truths = {channel: truth_of(history, channel) for channel in sorted(channels_of(history))}
    found = [Violation("remark", remark) for remark in history.remarks]
    for channel, truth in truths.items():
        mine = [each for each in history.publishes if each.channel == channel]
        log = history.logs.get(channel, [])
        found += [*check_log(log, mine, truth), *check_order(mine)]
    for reading in history.readings:
        found += check_reading(reading, truths[reading.channel])
    answered = [each for each in history.publishes if each.acked_s is not None]
    return Verdict(
        acknowledged=sum(len(each.events) for each in answered),
        published=len(answered),
        retried=sum(each.tries > 1 for each in answered),
        stored=sum(map(len, history.logs.values())),
        read=sum(len(each.steps) for each in history.readings),
        readings=len(history.readings),
        declared=sum(events_declared(each, truths[each.channel]) for each in history.readings),
        dropped=history.dropped,
        violations=found,
    )


def channels_of(history: History) -> set[str]:
    """Every channel that anything is known of."""
    published = {each.channel for each in history.publishes}
    return {*history.logs, *published, *(each.channel for each in history.readings)}


def truth_of(history: History, channel: str) -> Truth:
    """What is known of a channel: its log, and before that what was acknowledged and then trimmed."""
    log = history.logs.get(channel, [])
    floor = "" if channel not in history.trimmed else log[0].id if log else TOP
    kept = {event.id: event for event in log}
    trimmed = [event for each in acked(history.publishes, channel) for event in each.stored if event.id < floor]
    known = {event.id: event for event in trimmed} | kept
    names = {name for each in history.publishes if each.channel == channel for name, _ in each.events}
    return Truth([known[event_id] for event_id in sorted(known)], frozenset(kept), floor, names)


def check_log(log: Sequence[Event], publishes: Sequence[Publish], truth: Truth) -> Iterator[Violation]:
    """The log of one channel against what was published to it."""
    places: defaultdict[str, list[Event]] = defaultdict(list)
    for event in log:
        places[event.name].append(event)
    for before, after in pairwise(log):
        if before.id >= after.id:
            yield Violation("unordered", f"{after} follows {before}")
    for name, events in places.items():
        if name not in truth.names:
            yield Violation("foreign", f"{events[0]} was published by nobody")
        elif len(events) > 1:
            yield Violation("doubled", f"{name} is in the log as {', '.join(event.id for event in events)}")
    order = {event.id: number for number, event in enumerate(log)}
    for publish in publishes:
        yield from _check_publish(publish, places, truth)
        yield from _check_batch(publish, places, order, truth.floor)


def _check_publish(publish: Publish, places: dict[str, list[Event]], truth: Truth) -> Iterator[Violation]:
    if publish.acked_s is not None and len(publish.ids) != len(publish.events):
        yield Violation("altered", f"{publish} has another number of ids than of events")
    for event in publish.stored:
        found = places.get(event.name, [])
        if event.id < truth.floor:
            continue
        if not found:
            yield Violation("lost", f"{event} of {publish.publisher}, acknowledged at {publish.acked_s}")
        elif event not in found:
            yield Violation("altered", f"acknowledged was {event}, stored is {found[0]}")


def _check_batch(
    publish: Publish, places: dict[str, list[Event]], order: dict[str, int], floor: str
) -> Iterator[Violation]:
    """All or nothing, acknowledged or not, and in a row; trimming may have taken its beginning."""
    found = [places[name][0] for name, _ in publish.events if name in places]
    if not found or (found[0].id == floor and publish.ids and publish.ids[0] < floor):
        return
    numbers = [order[event.id] for event in found]
    is_row = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    may_be_trimmed = found[0].id == floor and not publish.ids
    if not is_row or (len(found) != len(publish.events) and not may_be_trimmed):
        yield Violation("torn", f"of the batch {publish.events} the log has {found}")


def check_order(publishes: Iterable[Publish]) -> Iterator[Violation]:
    """What was acknowledged before another publish to the channel began lies before it."""
    answered = [each for each in publishes if each.acked_s is not None and each.ids]
    by_ack = sorted(answered, key=lambda each: each.acked_s or 0.0)
    top, last, number = "", None, 0
    for later in sorted(answered, key=lambda each: each.began_s):
        while number < len(by_ack) and (by_ack[number].acked_s or 0.0) < later.began_s:
            if max(by_ack[number].ids) > top:
                last = by_ack[number]
                top = max(last.ids)
            number += 1
        if min(later.ids) <= top:
            yield Violation("overtaken", f"{later} began after the acknowledgement of {last}")
