"""What the calls of calendars have in common: whose key it is, settling, reading, and executing a decision."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from broker.change import DocumentKey
from broker.channels import NewChannel
from broker.errors import Forbidden, NotFound, Unavailable
from broker.ids import MAX_SEQ, MAX_TAG, Position, render_tag, render_ulid
from broker.scopes import Grant
from broker.storage.commit import Decide
from broker.storage.state import Loaded, Page, Tail
from broker.timers import Claimed
from handlers.auth import NO_RIGHT, require_tenant
from handlers.broker import Broker, broker_of
from handlers.calendar.calendar_event import CalendarEvent, parse_kept
from handlers.calendar.decisions import Due, Place, find_calendar, settling
from handlers.calendar.documents import EVENT, HOLDS, agent_key, calendar_key, due_index, event_key, holds_key
from handlers.calendar.events import channel_of, org_of
from handlers.calendar.holds import parse_holds
from handlers.calendar.making import find_agent
from handlers.calendar.wire import MOST_OFFSET, Asked, check_id
from handlers.committing import again_where_gone, answer_by_commit
from handlers.idempotency import state_answer

API = "calendar"
SETTLINGS = 16
PAGE = 1_000
MOST_PAGE_BYTES = 33_554_432
CALENDAR_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"

T = TypeVar("T")


class Caller(NamedTuple):
    """An organisation, and the agent whose key it is; None for a key of the organisation."""

    tenant: str
    agent: str | None
    grant: Grant

    def place(self, calendar_id: str) -> Place:
        """A calendar as this caller sees it."""
        return Place(self.tenant, calendar_id, self.agent)


def caller_of(request: Request) -> Caller:
    """Who calls; raises `Unauthorized`, `Forbidden`."""
    found = require_tenant(request, API)
    return Caller(found.tenant, found.grant.agent, found.grant)


def organisation_of(request: Request) -> Caller:
    """Who calls, who must not be one agent; raises `Unauthorized`, `Forbidden`."""
    caller = caller_of(request)
    if caller.agent is not None:
        raise Forbidden(NO_RIGHT)
    return caller


def path_id(request: Request, name: str, what: str) -> str:
    """An id in the path; raises `NotFound`."""
    return check_id(request.path_params[name], what)


def fresh_id(broker: Broker, prefix: str) -> str:
    """A new id: a prefix and a ULID."""
    position = Position(int(broker.now_s() * 1000), secrets.randbelow(MAX_SEQ))
    return prefix + render_ulid(render_tag(secrets.randbelow(MAX_TAG)), position)


def fresh_calendar_id() -> str:
    """A new calendar's id: its channel has the tenant in its name too, so it is shorter than others."""
    return "cal_" + "".join(secrets.choice(CALENDAR_LETTERS) for _ in range(14))


async def calendar_of_event(request: Request, caller: Caller) -> tuple[Place, str]:
    """The place and the id of the event in the path, where only that is told; raises `NotFound`."""
    broker, event_id = broker_of(request), path_id(request, "calendar_event_id", "Event")
    key = event_key(caller.tenant, event_id)
    document = (await broker.reader.read(broker.engine.partition(caller.tenant), [key])).loaded.documents[key]
    if document is None:
        raise NotFound("Event not found")
    return caller.place(parse_kept(document.body).calendar_id), event_id


async def execute(
    request: Request,
    caller: Caller,
    body: Any,
    keys: Sequence[DocumentKey],
    decide: Decide,
    calendar_id: str | None = None,
) -> Response:
    """Commit a decision and answer it, once for each Idempotency-Key; what is due is settled first."""
    logs: list[NewChannel] = [org_of(caller.tenant)]
    if calendar_id is not None:
        logs.insert(0, channel_of(caller.tenant, calendar_id))

    commit = partial(answer_by_commit, request, caller.tenant, caller.grant, body, keys, decide, logs=logs)
    return await settled(broker_of(request), caller.tenant, commit)


async def execute_on(
    request: Request, caller: Caller, body: Any, keys: Sequence[DocumentKey], decide: Decide, calendar_id: str
) -> Response:
    """The same on a calendar that is there. Raises `NotFound`: nobody makes a channel by naming one that is not."""

    async def attempt() -> Response:
        await see_calendar(broker_of(request), caller.place(calendar_id))
        return await execute(request, caller, body, keys, decide, calendar_id)

    return await again_where_gone(request, caller.tenant, caller.grant, body, attempt)


async def see_calendar(broker: Broker, place: Place) -> None:
    """Raises `NotFound` where the caller has no such calendar."""
    find_calendar(place, (await broker.reader.read(broker.engine.partition(place.tenant), place.keys)).loaded)


async def see_agent(broker: Broker, caller: Caller, agent_id: str) -> None:
    """Raises `NotFound` where the caller has no such agent."""
    loaded = (
        await broker.reader.read(broker.engine.partition(caller.tenant), [agent_key(caller.tenant, agent_id)])
    ).loaded
    find_agent(caller.tenant, agent_id, caller.agent, loaded)


async def settled(broker: Broker, tenant: str, attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` gives, once all that it says is `Due` was settled."""
    for _ in range(SETTLINGS):
        try:
            return await attempt()
        except Due as due:
            await settle(broker, tenant, due.calendar_id)
    raise Unavailable("The holds of this calendar are being changed by others", retry_after_s=1)


async def settle(broker: Broker, tenant: str, calendar_id: str, claimed: Claimed | None = None) -> None:
    """Say of a calendar's holds that are over that they are: once, whoever comes first. Raises `Fenced`."""
    keys = [calendar_key(tenant, calendar_id), holds_key(tenant, calendar_id)]
    logs = (channel_of(tenant, calendar_id), org_of(tenant))
    await broker.commits.execute(tenant, keys, partial(settling, tenant, calendar_id), logs=logs, claimed=claimed)


async def read_one(
    request: Request,
    caller: Caller,
    keys: Sequence[DocumentKey],
    render: Callable[[Loaded], Any],
    calendar_id: str | None = None,
) -> Response:
    """Documents as they are rendered, with where to go on from them. Raises what `render` does."""
    broker = broker_of(request)
    new = org_of(caller.tenant) if calendar_id is None else channel_of(caller.tenant, calendar_id)

    async def attempt() -> Response:
        # Nobody makes a channel by asking for what is not there.
        partition = broker.engine.partition(caller.tenant)
        render((await broker.reader.read(partition, keys)).loaded)
        log = await broker.channels.ensure(new)
        loaded = (await broker.reader.read(log.partition, keys, logs=(log,))).loaded
        return state_answer(render(loaded), loaded.tail)

    return await settled(broker, caller.tenant, attempt)


async def read_page(
    request: Request, caller: Caller, place: tuple[str, str], asked: Asked, render: Callable[[Page], list[Any]]
) -> Response:
    """A page of a list: `render` gives its rows. Nothing in it is due, and `total` is exact."""
    broker = broker_of(request)
    page = await settled_page(
        broker,
        caller.tenant,
        place,
        lowest=str(asked.after_ms) if asked.after_ms is not None else "-inf",
        highest=f"({asked.before_ms}" if asked.before_ms is not None else "+inf",
        skip=asked.offset,
        limit=asked.limit,
    )
    shown = {"data": render(page), "total": page.total, "limit": asked.limit, "offset": asked.offset}
    return state_answer(shown, page.tail)


class AllEvents(NamedTuple):
    """Events of an index, each as it was last seen, when that was, and the tail of the log before the first."""

    events: list[CalendarEvent]
    now_ms: int
    tail: Tail | None


async def read_all(
    broker: Broker, tenant: str, index: str, *, lowest: str = "-inf", highest: str = "+inf", most: int = MOST_OFFSET
) -> AllEvents:
    """The events of an index between these bounds, page by page, the first `most` of them."""
    found: dict[str, CalendarEvent] = {}
    skip, total, now_ms, tail = 0, 1, 0, None
    while skip < min(total, most):
        page = await settled_page(broker, tenant, (EVENT, index), skip=skip, limit=PAGE, lowest=lowest, highest=highest)
        found |= {member: parse_kept(each.body) for member, each in page.documents}
        skip, total, now_ms, tail = skip + PAGE, page.total, page.now_us // 1000, tail or page.tail
    return AllEvents(list(found.values()), now_ms, tail)


async def settled_page(broker: Broker, tenant: str, place: tuple[str, str], **bounds: Any) -> Page:
    """A page of an index that has no hold whose time was over when it was read.

    The next expiry is read before the page: a hold that is made in between ends half a minute later at the earliest.
    """
    log, partition = await broker.channels.ensure(org_of(tenant)), broker.engine.partition(tenant)
    for _ in range(SETTLINGS):
        due = await broker.reader.page(partition, HOLDS, due_index(tenant), limit=1)
        next_ms = min((each.expires_ms for _, found in due.documents for each in parse_holds(found.body)), default=None)
        if next_ms is None or next_ms > due.now_us // 1000:
            page = await broker.reader.page(partition, *place, log=log, most_bytes=MOST_PAGE_BYTES, **bounds)
            if next_ms is None or next_ms > page.now_us // 1000:
                return page
        # Not only the first: after a pause there may be many calendars with holds that are over.
        over = await broker.reader.page(partition, HOLDS, due_index(tenant), highest=str(due.now_us // 1000))
        for member, _ in over.documents:
            await settle(broker, tenant, member.partition("/")[2])
    raise Unavailable("Holds are being changed by others", retry_after_s=1)
