"""What the calls about webhooks have in common: the webhook that is meant, and how far its deliveries are."""

from collections.abc import Sequence
from typing import NamedTuple

from starlette.requests import Request

from broker.change import Change, Put
from broker.channels import DAY_MS, ChannelRecord
from broker.delivery_log import KIND as LOG_KIND
from broker.delivery_log import Row, parse_rows
from broker.delivery_log import index_of as log_index
from broker.endpoints import Endpoint
from broker.errors import Invalid, NotFound
from broker.ids import Position, render_ulid
from broker.progress import Progress, parse_progress, render_progress
from broker.storage.deliveries import name_of
from broker.storage.endpoints import Following
from broker.storage.state import Loaded
from broker.targets import check_target
from broker.webhooks import state_of
from handlers.broker import Broker, broker_of
from handlers.calendar.events import org_of
from handlers.calendar.serving import Caller, organisation_of, path_id
from handlers.calendar.webhooks import FORM
from handlers.fresh_record import on_fresh_record

MOST_GAPS = 20


class Own(NamedTuple):
    """A webhook of the caller's organisation, on the organisation's channel."""

    caller: Caller
    channel: ChannelRecord
    following: Following

    @property
    def endpoint(self) -> Endpoint:
        """The webhook itself."""
        return self.following.endpoint

    @property
    def subject(self) -> str:
        """What its progress and its rows are named by."""
        return subject_of(self.channel, self.endpoint)


def subject_of(channel: ChannelRecord, endpoint: Endpoint) -> str:
    """What the progress and the rows of a webhook are named by."""
    return name_of(channel, endpoint.id).subject


async def own_webhook(request: Request) -> Own:
    """The webhook in the path; raises `Unauthorized`, `Forbidden` for an agent's key, `NotFound`."""
    broker, caller = broker_of(request), organisation_of(request)
    webhook_id, channel = path_id(request, "calendar_webhook_id", "Webhook"), org_of(caller.tenant)

    async def look() -> tuple[ChannelRecord, Following | None]:
        record = await broker.channels.ensure(channel)
        return record, await broker.endpoints.following(record, webhook_id)

    record, following = await on_fresh_record(broker, channel.id, look)
    if following is None or following.endpoint.form != FORM:
        raise NotFound("Webhook not found")
    return Own(caller, record, following)


async def loaded_of(broker: Broker, channel: ChannelRecord, endpoints: Sequence[Endpoint]) -> Loaded:
    """The documents of how far the deliveries to these are, and the channel's tail."""
    keys = [state_of(subject_of(channel, each)) for each in endpoints]
    return (await broker.reader.read(channel.partition, keys, logs=(channel,))).loaded


def progress_of(channel: ChannelRecord, endpoint: Endpoint, loaded: Loaded, cursor: Position | None = None) -> Progress:
    """What the deliveries to a webhook came to; where nothing is kept yet, they are at this cursor."""
    found = loaded.documents[state_of(subject_of(channel, endpoint))]
    return parse_progress(found.body) if found else Progress(cursor or channel.start, activation=endpoint.activation)


def place_of(own: Own, progress: Progress) -> str:
    """The cursor up to which everything was delivered or given up since the webhook is active."""
    is_present = progress.activation == own.endpoint.activation
    place = progress.done if is_present else own.following.cursor
    return render_ulid(own.channel.tag_letters, place)


async def gaps_of(broker: Broker, own: Own) -> list[Row]:
    """The newest stretches of the channel that were not delivered."""
    index = log_index(own.subject, "gap")
    page = await broker.reader.page(own.channel.partition, LOG_KIND, index, limit=MOST_GAPS, is_descending=True)
    return parse_rows([document for _, document in page.documents])


async def keep_place(broker: Broker, own: Own) -> None:
    """Have it noted where a webhook is that was never called: what it leaves out from here on is told by that."""
    key, endpoint = state_of(own.subject), own.endpoint
    body = render_progress(Progress(own.following.cursor, activation=endpoint.activation))

    def decide(loaded: Loaded) -> Change:
        return Change() if loaded.documents[key] else Change((Put(key, 0, body, (), endpoint.expires_ms + DAY_MS),))

    await broker.commits.execute(own.caller.tenant, [key], decide)


def target_of(broker: Broker, url: str) -> str:
    """The normal form of a URL that may be called; raises `Invalid`."""
    try:
        return check_target(url, broker.site.outbound_allow)
    except Invalid as invalid:
        raise Invalid(f"url: {invalid.message}", param="url") from None
