"""Lists of events and crons: which page is asked for, and whether it is there (contract section 2). Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from broker.errors import Refusal
from handlers.cuey.machine import Status
from handlers.cuey.wire import parse_id, validation

MOST = 1_000
DEFAULT = 100
MOST_PAGE = 10**9
MOST_PAGE_BYTES = 16_777_216


class OutOfRange(Refusal):
    """There is no such page. 416, which the client takes for a server's error; its own tests ask for that."""

    status = 416


class Asked(NamedTuple):
    """A page, and what it is filtered by; None lets everything through."""

    page: int
    limit: int
    status: str | None = None
    cron_id: str | None = None
    is_active: bool | None = None

    @property
    def skip(self) -> int:
        """How many come before it."""
        return self.page * self.limit


def parse_events_query(query: Mapping[str, str]) -> Asked:
    """Which page of events; raises `Invalid`."""
    details: list[dict[str, Any]] = []
    status, cron_id = query.get("status"), query.get("cron_id")
    if status is not None and status not in set(Status):
        details.append({"path": ["status"], "message": "must be pending, processing, success or failed"})
    if cron_id is not None and parse_id(cron_id) is None:
        details.append({"path": ["cron_id"], "message": "must be a UUID"})
    page, limit = _place(query, details)
    if details:
        raise validation(details)
    return Asked(page, limit, status, cron_id and parse_id(cron_id))


def parse_crons_query(query: Mapping[str, str]) -> Asked:
    """Which page of crons; raises `Invalid`."""
    details: list[dict[str, Any]] = []
    is_active = query.get("is_active")
    if is_active not in (None, "true", "false"):
        details.append({"path": ["is_active"], "message": "must be true or false"})
    page, limit = _place(query, details)
    if details:
        raise validation(details)
    return Asked(page, limit, is_active=None if is_active is None else is_active == "true")


def render_page(asked: Asked, total: int, shown: list[dict[str, Any]]) -> dict[str, Any]:
    """The body of a page. Raises `OutOfRange` for one beyond the last; the first is always there."""
    if asked.page and asked.skip >= total:
        raise OutOfRange(f"There is no page {asked.page}: {total} in all", code="INTERNAL_SERVER_ERROR")
    return {"data": shown, "pagination": {"page": asked.page, "limit": asked.limit, "total": total}}


def _place(query: Mapping[str, str], details: list[dict[str, Any]]) -> tuple[int, int]:
    return (
        _number(query, "page", details, default=0, lowest=0, highest=MOST_PAGE),
        _number(query, "limit", details, default=DEFAULT, lowest=1, highest=MOST),
    )


def _number(
    query: Mapping[str, str], name: str, details: list[dict[str, Any]], *, default: int, lowest: int, highest: int
) -> int:
    text = query.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdecimal() and len(text) <= 10 and lowest <= int(text) <= highest:
        return int(text)
    details.append({"path": [name], "message": f"must be a whole number from {lowest} to {highest}"})
    return default
