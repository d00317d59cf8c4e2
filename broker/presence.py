"""Who reads which channel: the register of one process, and how the words of several become one answer. Pure.

A reader is a held-open connection's subscription to a channel. One whose token names somebody counts for that person;
all others are counted only. Processes tell each other how many read and who the first hundred are
(`broker.storage.presence`); the register says what there is to tell.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from broker.scopes import Grant

MOST_NAMED = 100
"""How many people of a channel a process tells of, and an answer names."""


class Place(NamedTuple):
    """A channel's log: its partition, its id, and the tag that tells it from one that was there before."""

    partition: int
    channel_id: str
    tag: int


class Person(NamedTuple):
    """Whom a token names: its subject, and how that one is called. One of them is there."""

    subject: str | None
    name: str | None

    @property
    def key(self) -> tuple[str, str]:
        """What tells people apart: the subject; where there is none, the name."""
        return ("subject", self.subject) if self.subject is not None else ("name", self.name or "")


class Guest(NamedTuple):
    """A person who reads a channel: since when, in Unix ms, and on how many connections."""

    subject: str | None
    name: str | None
    since_ms: int
    connections: int

    @property
    def person(self) -> Person:
        """Who it is."""
        return Person(self.subject, self.name)


class Here(NamedTuple):
    """What one process says of a channel: all readers, those nobody is named for, all people, and the first of them."""

    readers: int
    anonymous: int
    people: int
    guests: tuple[Guest, ...]


class Present(NamedTuple):
    """Who reads a channel, over all processes; `truncated` where more people read it than are named.

    Then `connections` are those that are known of: the same person may be beyond the first hundred of a process.
    """

    readers: int
    anonymous: int
    guests: tuple[Guest, ...]
    truncated: bool


NOBODY = Here(0, 0, 0, ())


def person_of(grant: Grant | None) -> Person | None:
    """Whom a grant names, None for nobody."""
    if grant is None or (grant.subject is None and grant.name is None):
        return None
    return Person(grant.subject, grant.name)


@dataclass(slots=True)
class _Stay:
    person: Person
    since_ms: int
    connections: int = 0


@dataclass(slots=True)
class _Room:
    """The readers of one channel here; `told_s` is when others heard of it last, None while they have not."""

    readers: int = 0
    stays: dict[tuple[str, str], _Stay] = field(default_factory=dict)
    told_s: float | None = None


class Seat:
    """The place of one reader in the register; leave it once."""

    __slots__ = ("_person", "_place", "_register")

    def __init__(self, register: "Register", place: Place, person: Person | None) -> None:
        self._register = register
        self._place = place
        self._person = person

    def leave(self) -> None:
        """The reader is gone."""
        self._register.take_out(self._place, self._person)

    def become(self, person: Person | None, now_ms: int) -> None:
        """The reader is somebody else from now on."""
        if person != self._person:
            self._register.put_in(self._place, person, now_ms)
            self._register.take_out(self._place, self._person)
            self._person = person


class Register:
    """The readers of this process. Entering and leaving cost a step each and note that the channel is to be told of.

    `on_change` is called whenever there is something new to tell.
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._on_change = on_change
        self._rooms: dict[Place, _Room] = {}
        self._changed: dict[Place, None] = {}
        self._told: dict[Place, None] = {}  # by the time of telling, so that what is due comes first

    def enter(self, place: Place, person: Person | None, now_ms: int) -> Seat:
        """One more reader of the channel."""
        self.put_in(place, person, now_ms)
        return Seat(self, place, person)

    def put_in(self, place: Place, person: Person | None, now_ms: int) -> None:
        """For `Seat`: count one more."""
        room = self._rooms.setdefault(place, _Room())
        room.readers += 1
        if person is not None:
            room.stays.setdefault(person.key, _Stay(person, now_ms)).connections += 1
        self._note(place)

    def take_out(self, place: Place, person: Person | None) -> None:
        """For `Seat`: count one less."""
        room = self._rooms[place]
        room.readers -= 1
        if person is not None:
            stay = room.stays[person.key]
            stay.connections -= 1
            if not stay.connections:
                del room.stays[person.key]
        self._note(place)

    def here(self, place: Place) -> Here:
        """What there is to say of a channel now. The first people are those who came first."""
        room = self._rooms.get(place)
        if room is None:
            return NOBODY
        named = sum(stay.connections for stay in room.stays.values())
        first = islice(room.stays.values(), MOST_NAMED)
        guests = tuple(Guest(*stay.person, stay.since_ms, stay.connections) for stay in first)
        return Here(room.readers, room.readers - named, len(room.stays), guests)

    def readers(self, place: Place) -> int:
        """How many read a channel here."""
        room = self._rooms.get(place)
        return 0 if room is None else room.readers

    def due(self, now_s: float, again_s: float) -> list[Place]:
        """The channels to tell of: those that changed, and those told of `again_s` ago."""
        long_ago = now_s - again_s
        stale = []
        for place in self._told:
            if (self._rooms[place].told_s or 0.0) > long_ago:
                break
            stale.append(place)
        return list(dict.fromkeys([*self._changed, *stale]))

    def tell(self, place: Place, now_s: float) -> Here:
        """What to say of a channel, which is on its way to the others from now on."""
        self._changed.pop(place, None)
        self._told.pop(place, None)
        room = self._rooms.get(place)
        if room is None:
            return NOBODY
        if room.readers:
            room.told_s = now_s
            self._told[place] = None
        else:
            del self._rooms[place]
        return self.here(place)

    def untold(self, places: Iterable[Place]) -> None:
        """What was said of these did not arrive, or was forgotten: it is to be said again."""
        for place in places:
            self._told.pop(place, None)
            self._rooms.setdefault(place, _Room()).told_s = 0.0
            self._changed[place] = None

    def told(self) -> Iterator[Place]:
        """The channels that others know to have readers here."""
        return iter(self._told)

    def _note(self, place: Place) -> None:
        room = self._rooms[place]
        if not room.readers and room.told_s is None:
            # Come and gone between two words to the others: there is nothing to take back.
            del self._rooms[place]
            self._changed.pop(place, None)
            return
        if place not in self._changed:
            self._changed[place] = None
            self._on_change()


def merge(words: Iterable[Here]) -> Present:
    """One answer of what several processes say: people by when they came, each once."""
    heard = list(words)
    people: dict[tuple[str, str], Guest] = {}
    for guest in sorted((each for here in heard for each in here.guests), key=lambda each: each.since_ms):
        known = people.get(guest.person.key)
        if known is None:
            people[guest.person.key] = guest
        else:
            people[guest.person.key] = known._replace(connections=known.connections + guest.connections)
    is_short = len(people) > MOST_NAMED or any(here.people > len(here.guests) for here in heard)
    return Present(
        sum(here.readers for here in heard),
        sum(here.anonymous for here in heard),
        tuple(islice(people.values(), MOST_NAMED)),
        is_short,
    )


def render_here(here: Here) -> list[Any]:
    """What a process says, as JSON that `parse_here` reads."""
    return [here.readers, here.anonymous, here.people, [list(guest) for guest in here.guests]]


def parse_here(value: Any) -> Here:
    """What another process said."""
    readers, anonymous, people, guests = value
    return Here(readers, anonymous, people, tuple(Guest(*guest) for guest in guests))
