"""How many events an organisation may make in a month, holds among them (contract 3.6, D13; `[calendar]`). Pure.

A document of the organisation counts them in the commit that makes each; what is refused counts nothing. A confirmed or
released hold counts no more than it did, and a month begins by the engine's clock, in UTC.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from broker.change import Change, DocumentKey, Put, join
from broker.errors import TooMany
from broker.storage.state import Loaded

KIND = "calendar-quota"
KEPT_MS = 62 * 86_400_000
"""A count is forgotten so long after it changed: its month is over by then."""


def quota_key(tenant: str, now_ms: int) -> DocumentKey:
    """The count of the organisation's month."""
    return DocumentKey(KIND, f"{tenant}/{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m}")


def counting(key: DocumentKey, most: int, decide: Callable[[Loaded], Change], loaded: Loaded) -> Change:
    """What `decide` makes, counted; raises what that does, and `TooMany` where the month has so many."""
    change, found = decide(loaded), loaded.documents[key]
    count, version = (int(found.body), found.version) if found else (0, 0)
    if count >= most:
        # Without Retry-After: the vendor's client would sleep for as long as it says, which may be weeks.
        raise TooMany(f"An organisation may make {most} events in a month", type="quota_exceeded")
    counted = Put(key, version, b"%d" % (count + 1), (), loaded.now_ms + KEPT_MS)
    return join((change, Change((counted,))), change.answer)
