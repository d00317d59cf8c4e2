"""Position checks of many logs at once: which of them are no longer as a process knows them."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

from broker.channels import ChannelRecord
from broker.cursors import LogMeta, Mark
from broker.storage.channels import keys_of, parse_meta
from broker.storage.engine import Engine
from broker.storage.scripts import CHECK_LOGS


class Unchanged(Enum):
    """The log is as it is known."""

    UNCHANGED = "unchanged"


Checked = LogMeta | Unchanged | None
"""What a log says of itself where that is news, None where it is gone."""


async def check_logs(engine: Engine, known: Sequence[tuple[ChannelRecord, Mark | None]]) -> list[Checked]:
    """Compare logs of one partition with how they are known; one that is known as None is told in any case.

    Goes over the connections that no crowd of readers can use up. Raises `Unavailable`.
    """
    keys = [keys_of(record).meta for record, _ in known]
    words = [f"{mark.top.stream} {mark.revision}" if mark else "" for _, mark in known]
    answers = await CHECK_LOGS(engine.steady, keys, words)
    return [_checked(each) for each in answers]


def _checked(answer: Any) -> Checked:
    if isinstance(answer, list):
        return parse_meta(answer)
    return Unchanged.UNCHANGED if answer else None
