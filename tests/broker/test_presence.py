"""The register of readers: what it has to tell others, and how several processes' words become one answer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from broker.presence import (
    MOST_NAMED,
    NOBODY,
    Guest,
    Here,
    Person,
    Place,
    Register,
    Seat,
    merge,
    parse_here,
    person_of,
    render_here,
)
from broker.scopes import Grant

NEWS = Place(3, "news", 1)
ANN, BOB = Person("ann", "Ann"), Person("bob", None)


def told(register: Register, now_s: float = 0.0) -> dict[Place, Here]:
    return {place: register.tell(place, now_s) for place in register.due(now_s, 100.0)}


def here(*guests: Guest, anonymous: int = 0, people: int | None = None) -> Here:
    readers = sum(guest.connections for guest in guests) + anonymous
    return Here(readers, anonymous, len(guests) if people is None else people, guests)


@pytest.mark.parametrize(
    ("subject", "name", "person"),
    [("ann", "Ann", ANN), ("bob", None, BOB), (None, "Kiosk", Person(None, "Kiosk")), (None, None, None)],
)
def test_a_token_names_a_person_by_its_subject_or_its_name(subject: Any, name: Any, person: Person | None) -> None:
    assert person_of(Grant((), subject, name, (), None, None, "k", "p")) == person
    assert person_of(None) is None


def test_a_person_is_told_once_with_all_connections_and_others_are_only_counted() -> None:
    register = Register()
    for person, now_ms in ((None, 1), (ANN, 2), (BOB, 3), (ANN, 4)):
        register.enter(NEWS, person, now_ms)
    assert register.here(NEWS) == Here(4, 1, 2, (Guest("ann", "Ann", 2, 2), Guest("bob", None, 3, 1)))


def test_who_leaves_with_one_connection_of_two_is_still_there_and_with_the_other_is_gone() -> None:
    register = Register()
    one, other = register.enter(NEWS, ANN, 1), register.enter(NEWS, ANN, 2)
    one.leave()
    assert register.here(NEWS).guests == (Guest("ann", "Ann", 1, 1),)
    other.leave()
    assert register.here(NEWS) == NOBODY


def test_a_reader_that_becomes_somebody_else_is_that_one_from_then_on() -> None:
    register = Register()
    seat = register.enter(NEWS, None, 1)
    seat.become(ANN, 5)
    seat.become(ANN, 9)
    assert register.here(NEWS) == here(Guest("ann", "Ann", 5, 1))
    seat.leave()
    assert register.here(NEWS) == NOBODY


def test_what_changed_is_told_once_and_what_did_not_change_is_told_again_after_a_while() -> None:
    register = Register()
    register.enter(NEWS, None, 1)
    assert told(register, 0.0) == {NEWS: here(anonymous=1)}
    assert told(register, 99.0) == {}
    assert told(register, 100.0) == {NEWS: here(anonymous=1)}
    assert told(register, 199.0) == {}


def test_a_channel_that_was_left_is_told_of_and_then_forgotten() -> None:
    register = Register()
    seat = register.enter(NEWS, ANN, 1)
    told(register)
    seat.leave()
    assert told(register) == {NEWS: NOBODY}
    assert told(register, 1_000.0) == {}
    assert list(register.told()) == []


def test_readers_that_come_and_go_between_two_tellings_are_not_told_of() -> None:
    wakes = []
    register = Register(lambda: wakes.append(1))
    register.enter(NEWS, ANN, 1).leave()
    assert told(register) == {}
    assert len(wakes) == 1


def test_many_changes_of_a_channel_wake_the_teller_once() -> None:
    wakes = []
    register = Register(lambda: wakes.append(1))
    for i in range(50):
        register.enter(NEWS, None, i)
    assert len(wakes) == 1
    told(register)
    register.enter(NEWS, None, 51)
    assert len(wakes) == 2


@pytest.mark.parametrize("is_left", [False, True])
def test_what_did_not_arrive_is_told_again(is_left: bool) -> None:
    register = Register()
    seat = register.enter(NEWS, ANN, 1)
    told(register)
    if is_left:
        seat.leave()
        told(register)
    register.untold([NEWS])
    assert told(register) == {NEWS: NOBODY if is_left else here(Guest("ann", "Ann", 1, 1))}
    assert told(register) == {}


def test_the_first_hundred_people_are_told_of_and_the_rest_is_said_to_be_there() -> None:
    register = Register()
    seats = [register.enter(NEWS, Person(f"s{i}", None), i) for i in range(MOST_NAMED + 20)]
    said = register.here(NEWS)
    assert (said.readers, said.people, len(said.guests)) == (MOST_NAMED + 20, MOST_NAMED + 20, MOST_NAMED)
    assert merge([said]).truncated
    for seat in seats[:20]:
        seat.leave()
    said = register.here(NEWS)
    assert [guest.subject for guest in said.guests] == [f"s{i}" for i in range(20, MOST_NAMED + 20)]
    assert not merge([said]).truncated


def test_people_at_several_processes_are_one_by_when_they_came_first() -> None:
    one = here(Guest("ann", "Ann", 5, 2), Guest("bob", None, 7, 1), anonymous=1)
    other = here(Guest("cy", None, 1, 1), Guest("ann", "Anne", 3, 1), anonymous=2)
    present = merge([one, NOBODY, other])
    assert present.guests == (Guest("cy", None, 1, 1), Guest("ann", "Anne", 3, 3), Guest("bob", None, 7, 1))
    assert (present.readers, present.anonymous, present.truncated) == (8, 3, False)


def test_a_subject_and_a_name_that_are_spelled_alike_are_two_people() -> None:
    present = merge([here(Guest("ann", None, 1, 1), Guest(None, "ann", 2, 1))])
    assert len(present.guests) == 2


def test_more_than_a_hundred_people_of_several_processes_are_cut_and_that_is_said() -> None:
    words = [here(*(Guest(f"{p}-{i}", None, 10 * i + p, 1) for i in range(60))) for p in range(2)]
    present = merge(words)
    assert len(present.guests) == MOST_NAMED
    assert present.truncated
    assert present.readers == 120
    assert [guest.since_ms for guest in present.guests] == sorted(guest.since_ms for guest in present.guests)


TEXTS = st.none() | st.text(max_size=5)
GUESTS = st.builds(Guest, TEXTS, TEXTS, st.integers(0, 1 << 48), st.integers(1, 9))


@given(st.builds(Here, st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.lists(GUESTS).map(tuple)))
def test_what_is_said_is_read_as_it_was_said(said: Here) -> None:
    assert parse_here(render_here(said)) == said


PLACES = [NEWS, Place(3, "other", 2), Place(4, "third", 3)]
PEOPLE = [None, ANN, BOB, Person(None, "Kiosk")]


class Telling(RuleBasedStateMachine):
    """Whatever comes, goes and fails: after everything due was told, others know exactly who is here."""

    def __init__(self) -> None:
        super().__init__()
        self.register = Register()
        self.seats: list[tuple[Place, Seat]] = []
        self.known: dict[Place, int] = {}
        self.now_s = 0.0

    @rule(place=st.sampled_from(PLACES), person=st.sampled_from(PEOPLE))
    def enter(self, place: Place, person: Person | None) -> None:
        self.seats.append((place, self.register.enter(place, person, 1)))

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        if self.seats:
            self.seats.pop(data.draw(st.integers(0, len(self.seats) - 1)))[1].leave()

    @rule(data=st.data(), person=st.sampled_from(PEOPLE))
    def become(self, data: st.DataObject, person: Person | None) -> None:
        if self.seats:
            data.draw(st.sampled_from(self.seats))[1].become(person, 2)

    @rule()
    def pass_time(self) -> None:
        self.now_s += 60.0

    @rule(arrives=st.booleans())
    def tell(self, arrives: bool) -> None:
        places = self.register.due(self.now_s, 100.0)
        said = {place: self.register.tell(place, self.now_s) for place in places}
        if arrives:
            self.known.update({place: each.readers for place, each in said.items()})
        else:
            self.register.untold(places)

    @rule()
    def forget(self) -> None:
        lost = [place for place in self.register.told() if place.partition == 3]
        self.known = {place: count for place, count in self.known.items() if place.partition != 3}
        self.register.untold(lost)

    @invariant()
    def numbers_are_right(self) -> None:
        for place in PLACES:
            count = sum(each == place for each, _ in self.seats)
            assert self.register.readers(place) == count
            if place not in self.register.due(self.now_s, 1e9):
                assert self.known.get(place, 0) == count


test_others_know_all_that_was_told = Telling.TestCase
