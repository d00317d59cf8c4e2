"""Names of occurrences, and what the reading process says."""

import json

from handlers.calendar.imports.occurrence import Expanded, Occurrence, event_id_of, parse_expanded, render_expanded
from handlers.calendar.wire import check_id

ONE = Occurrence("uid", "", 1, 2, "t", None, False, "confirmed", False, None)


def test_an_occurrence_has_the_same_id_at_each_reading_and_another_one_elsewhere() -> None:
    changed = ONE._replace(start_ms=5, title="u", status="cancelled")
    assert event_id_of("ics_1", ONE) == event_id_of("ics_1", changed)
    others = [("ics_2", ONE), ("ics_1", ONE._replace(uid="v")), ("ics_1", ONE._replace(recurrence="1"))]
    assert len({event_id_of("ics_1", ONE), *(event_id_of(*each) for each in others)}) == 4


def test_the_parts_of_a_name_cannot_be_taken_for_each_other() -> None:
    assert event_id_of("a", ONE._replace(uid="b1")) != event_id_of("a", ONE._replace(uid="b", recurrence="1"))


def test_an_id_is_one_that_paths_take() -> None:
    made = event_id_of("ics_1", ONE._replace(uid="\ud800 / \n"))
    assert check_id(made, "Event") == made and len(made) == 30


def test_what_is_written_is_read() -> None:
    expanded = Expanded([ONE, ONE._replace(description="\u2028", location="x")], 3)
    assert parse_expanded(json.loads(json.dumps(render_expanded(expanded)))) == expanded
