"""Where names are written twice, in the machine and in what is shown, they are the same."""

from typing import Any, get_args

import pytest

from handlers.lifecycle.machine import Kind, Orientation, Schedule, Status
from handlers.lifecycle.models import BroadcastShown, EventShown


@pytest.mark.parametrize(
    ("shown", "enum"),
    [
        (EventShown.model_fields["status"], Status),
        (EventShown.model_fields["kind"], Kind),
        (EventShown.model_fields["schedule"], Schedule),
        (BroadcastShown.model_fields["orientation"], Orientation),
    ],
)
def test_what_is_shown_has_the_names_of_the_machine(shown: Any, enum: Any) -> None:
    assert list(get_args(shown.annotation)) == [each.name for each in enum]
