"""Whether what came is what a page shows: the same, but for ids and times, which are made anew each time."""

import re
from typing import Any

KINDS = (
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    r"[0-7][0-9A-HJKMNP-TV-Z]{25}",
    r"[0-9a-f]{16}",
    r"(?<=_)[0-9A-Za-z]{16,}",
)
"""UUIDs, ULIDs, ids of requests, and what stands behind the prefix of an id or a secret."""

ANY_ID = rf"(?<![0-9A-Za-z])(?:{'|'.join(KINDS)})(?![0-9A-Za-z])"
ID = re.compile(ANY_ID)
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
VARYING = re.compile(rf"(?P<id>{ANY_ID})|(?P<time>{TIME})|(?P<rest>\.\.\.|…)")
EPOCH = 10**9


def matches(shown: Any, came: Any, real: dict[str, str]) -> bool:
    """Whether these JSON values are alike.

    Times are times; what a page cuts by `...` may be anything; numbers with a fraction are measured. An id of the page
    stands for one real id, the first that came for it: `real` remembers which.
    """
    if isinstance(shown, dict):
        return (
            isinstance(came, dict)
            and shown.keys() == came.keys()
            and all(matches(value, came[name], real) for name, value in shown.items())
        )
    if isinstance(shown, list):
        return (
            isinstance(came, list)
            and len(shown) == len(came)
            and all(matches(*pair, real) for pair in zip(shown, came, strict=True))
        )
    if isinstance(shown, str):
        return isinstance(came, str) and is_alike(shown, came, real)
    if isinstance(shown, float):
        return isinstance(came, float)
    if type(shown) is int and shown >= EPOCH:
        return type(came) is int and len(str(came)) == len(str(shown))
    return type(shown) is type(came) and bool(shown == came)


def is_alike(shown: str, came: str, real: dict[str, str]) -> bool:
    """The same of texts."""
    expected, ids, end = "", [], 0
    for varying in VARYING.finditer(shown):
        expected += re.escape(shown[end : varying.start()])
        if varying["id"]:
            kind = next(each for each in KINDS if re.compile(each).fullmatch(shown, *varying.span()))
            expected += f"({kind})"
            ids.append(varying["id"])
        else:
            expected += TIME if varying["time"] else r"(?s:.*)"
        end = varying.end()
    found = re.fullmatch(expected + re.escape(shown[end:]), came)
    if found is None:
        return False
    return all(real.setdefault(own, other) == other for own, other in zip(ids, found.groups(), strict=True))
