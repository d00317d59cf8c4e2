"""Decisions on calls about crons: the cron, and the events that it keeps ahead, are one Change (contract 6). Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from broker.change import Answer, Change, Delete, join
from broker.errors import Invalid, NotFound, Refusal
from broker.storage.commit import Needs
from broker.storage.state import Loaded
from broker.strictjson import render_json
from handlers.cuey.crons import MOST_AHEAD, Cron, due_times, made_by, topped_up
from handlers.cuey.decisions import DONE
from handlers.cuey.documents import (
    MOST_CRONS,
    cron_key,
    event_key,
    parse_cron,
    parse_event,
    put_cron,
    put_event,
    timer_name,
    timer_of,
)
from handlers.cuey.events import Cause, channel_of, told, told_of_cron
from handlers.cuey.machine import deleted
from handlers.cuey.models import CronTaken
from handlers.cuey.wire import render_cron, target_of

FRESH_IDS = MOST_AHEAD
"""How many fresh ids a decision on a cron may use."""


class Known(NamedTuple):
    """A cron with the version of its document."""

    cron: Cron
    version: int


def creating(tenant: str, asked: CronTaken, cron_id: str, ids: Sequence[str], crons: int, loaded: Loaded) -> Change:
    """Make a cron with its first events. `crons` is how many there are already. Raises `Invalid`."""
    if crons >= MOST_CRONS:
        raise Invalid(f"There may be at most {MOST_CRONS} crons")
    now_ms = loaded.now_ms
    cron = Cron(cron_id, asked.cron_expression, asked.timezone, target_of(asked), asked.is_active, now_ms, now_ms)
    after, ahead = making(tenant, cron, ids, now_ms, "api")
    own = Change((put_cron(tenant, after, 0),), (told_of_cron(tenant, "created", after, None),))
    return join((own, ahead), _answer(tenant, after, 201))


def updating(tenant: str, cron_id: str, asked: CronTaken | Refusal, ids: Sequence[str], loaded: Loaded) -> Change:
    """Change a cron: its events that wait go, and new ones come. Raises `NotFound`, `Invalid`."""
    before, version = find(tenant, cron_id, loaded)
    if isinstance(asked, Refusal):
        raise asked
    gone = _removing(tenant, before, loaded)
    kept = {name: getattr(asked, name) for name in ("timezone", "is_active") if name in asked.model_fields_set}
    changed = replace(
        before,
        **kept,
        expression=asked.cron_expression,
        target=target_of(asked, before.target),
        updated_at_ms=max(loaded.now_ms, before.updated_at_ms),
        pending=(),
        last_ms=0,
        version=before.version + 1,
    )
    after, ahead = making(tenant, changed, ids, loaded.now_ms, "api")
    own = Change((put_cron(tenant, after, version),), (told_of_cron(tenant, "updated", after, before.is_active),))
    return join((own, gone, ahead), _answer(tenant, after, 200))


def deleting(tenant: str, cron_id: str, loaded: Loaded) -> Change:
    """Remove a cron and its events that wait; calls that are under way, and their retries, go on. Raises `NotFound`."""
    before, version = find(tenant, cron_id, loaded)
    gone = _removing(tenant, before, loaded)
    after = replace(before, version=before.version + 1, updated_at_ms=max(loaded.now_ms, before.updated_at_ms))
    own = Change(
        (Delete(cron_key(tenant, cron_id), version),), (told_of_cron(tenant, "deleted", after, before.is_active),)
    )
    return join((own, gone), Answer(200, render_json(DONE), channel_of(tenant)))


def making(tenant: str, cron: Cron, ids: Sequence[str], now_ms: int, cause: Cause) -> tuple[Cron, Change]:
    """The cron with the events that it should have ahead, and what makes them."""
    made = [made_by(cron, each, at_ms, now_ms) for each, at_ms in zip(ids, due_times(cron, now_ms), strict=False)]
    change = Change(
        tuple(put_event(tenant, each, 0) for each in made),
        tuple(told(tenant, "created", each, None, cause) for each in made),
        tuple(timer_of(tenant, each) for each in made),
    )
    return topped_up(cron, made), change


def find(tenant: str, cron_id: str, loaded: Loaded) -> Known:
    """A cron as it is now; raises `NotFound`."""
    document = loaded.documents[cron_key(tenant, cron_id)]
    if document is None:
        raise NotFound("Cron not found", code="NOT_FOUND")
    return Known(parse_cron(document.body), document.version)


def _removing(tenant: str, cron: Cron, loaded: Loaded) -> Change:
    """Take its events back that wait; raises `Needs` for their documents."""
    keys = [event_key(tenant, each) for each in cron.pending]
    unseen = [key for key in keys if key not in loaded.documents]
    if unseen:
        raise Needs(*unseen)
    documents, events = [], []
    for key in keys:
        found = loaded.documents[key]
        if found is not None:
            before = parse_event(found.body)
            documents.append(Delete(key, found.version))
            events.append(told(tenant, "deleted", deleted(before, loaded.now_ms), before.status, "api"))
    return Change(tuple(documents), tuple(events), tuple(timer_name(tenant, each) for each in cron.pending))


def _answer(tenant: str, cron: Cron, status: int) -> Answer:
    return Answer(status, render_json({"data": render_cron(cron, tenant)}), channel_of(tenant))
