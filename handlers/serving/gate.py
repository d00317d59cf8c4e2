"""What the protocol classes of one process share."""

from dataclasses import dataclass

from handlers.serving.admission import Admission
from handlers.serving.limits import ServingLimits
from handlers.serving.refusals import Refusals


@dataclass(frozen=True, slots=True)
class Gate:
    """The limits, who is in, and what was refused."""

    limits: ServingLimits
    admission: Admission
    refusals: Refusals
