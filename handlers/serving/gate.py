"""What the protocol classes of one process share."""

from dataclasses import dataclass

from handlers.serving.admission import Admission
from handlers.serving.limits import ServingLimits
from handlers.serving.refusals import Kind, Refusals


@dataclass(frozen=True, slots=True)
class Gate:
    """The limits, who is in, and what was refused."""

    limits: ServingLimits
    admission: Admission
    refusals: Refusals

    def count_loss(self, error: Exception | None) -> None:
        """A connection was lost; by the kernel's timeout, where its peer took nothing for too long."""
        if isinstance(error, TimeoutError):
            self.refusals.count(Kind.WRITE_STALL)
