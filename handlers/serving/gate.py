"""What the protocol classes of one process share."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Protocol

from handlers.serving.admission import Admission
from handlers.serving.limits import ServingLimits
from handlers.serving.refusals import Kind, Refusals
from handlers.serving.wheel import Wheel


class Beating(Hashable, Protocol):
    """What lives on a beat: a socket that pings its peer."""

    def beat(self) -> None:
        """Its time has come."""
        ...


def _beat(each: Beating) -> None:
    each.beat()


def _heart() -> Wheel[Beating]:
    return Wheel(_beat)


@dataclass(frozen=True, slots=True)
class Gate:
    """The limits, who is in, what was refused, and the beat of all sockets."""

    limits: ServingLimits
    admission: Admission
    refusals: Refusals
    heart: Wheel[Beating] = field(default_factory=_heart)

    def count_loss(self, error: Exception | None) -> None:
        """A connection was lost; by the kernel's timeout, where its peer took nothing for too long."""
        if isinstance(error, TimeoutError):
            self.refusals.count(Kind.WRITE_STALL)
