"""What has to change for the events of a calendar to be those of a feed."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from handlers.calendar.calendar_event import CalendarEvent, parse_kept, render_kept
from handlers.calendar.imports.merging import MOST_STEPS, Step, contents_of, plan
from handlers.calendar.imports.occurrence import Occurrence, event_id_of

SUBSCRIPTION = "ics_1"

OCCURRENCES = st.builds(
    Occurrence,
    uid=st.sampled_from("abc"),
    recurrence=st.sampled_from(("", "1", "2")),
    start_ms=st.integers(0, 5),
    end_ms=st.integers(6, 9),
    title=st.sampled_from(("t", "u")),
    description=st.sampled_from((None, "d")),
    all_day=st.booleans(),
    status=st.sampled_from(("confirmed", "tentative", "cancelled")),
    is_transparent=st.booleans(),
    location=st.sampled_from((None, "here")),
)
FEEDS = st.lists(OCCURRENCES, max_size=8, unique_by=lambda each: (each.uid, each.recurrence))


def applied(there: dict[str, CalendarEvent], steps: list[Step]) -> dict[str, CalendarEvent]:
    """What is there after these steps, by the words of the plan alone."""
    after = dict(there)
    for step in steps:
        if step.wanted is None:
            del after[step.event_id]
            continue
        said = contents_of(SUBSCRIPTION, step.wanted)
        known = after.get(step.event_id)
        made = (
            replace(known, **said, version=known.version + 1)
            if known
            else CalendarEvent(id=step.event_id, calendar_id="cal_1", created_ms=0, updated_ms=0, **said)
        )
        # Through the stored form: what is compared next time is what was kept.
        after[step.event_id] = parse_kept(render_kept(made))
    return after


def merged(there: dict[str, CalendarEvent], feed: list[Occurrence]) -> dict[str, CalendarEvent]:
    return applied(there, plan(SUBSCRIPTION, feed, there))


@given(FEEDS, FEEDS, st.integers(0, 16))
def test_after_a_merge_nothing_is_left_to_do_also_when_an_earlier_one_stopped_half_way(
    first: list[Occurrence], second: list[Occurrence], done: int
) -> None:
    there = merged({}, first)
    half = applied(there, plan(SUBSCRIPTION, second, there)[:done])
    after = merged(half, second)
    assert after.keys() == {event_id_of(SUBSCRIPTION, each) for each in second}
    for each in second:
        event = after[event_id_of(SUBSCRIPTION, each)]
        assert (event.title, event.start_ms, event.status.value) == (each.title, each.start_ms, each.status)
    assert plan(SUBSCRIPTION, second, after) == []


@given(FEEDS, FEEDS)
def test_what_both_feeds_say_is_not_touched(first: list[Occurrence], second: list[Occurrence]) -> None:
    there = merged({}, first)
    steps = plan(SUBSCRIPTION, second, there)
    same = {event_id_of(SUBSCRIPTION, each) for each in first if each in second}
    assert not same & {step.event_id for step in steps}
    assert len(steps) == len({step.event_id for step in steps})


@given(FEEDS)
def test_what_goes_comes_before_what_comes(feed: list[Occurrence]) -> None:
    steps = plan(
        SUBSCRIPTION, feed, merged({}, [Occurrence("z", "", 0, 9, "t", None, False, "confirmed", False, None)])
    )
    assert [step.wanted is None for step in steps] == [True, *[False] * len(feed)]


def test_a_page_has_room_for_what_events_cost() -> None:
    # A document, an event on two logs and a timer each, and the subscription.
    assert MOST_STEPS * 4 + 1 <= 500
