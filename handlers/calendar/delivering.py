"""How the organisation's webhooks are delivered: one at a time, signed anew for each attempt (contract section 10)."""

from collections.abc import Mapping

from broker.change import Document, DocumentKey
from broker.channels import ChannelRecord
from broker.delivery_forms import Composed, Form, Noting, Rows
from broker.delivery_signing import secret_of
from broker.endpoints import Endpoint, Owner
from broker.events import Frame
from broker.patience import Patience
from broker.signing import SigningKey
from broker.storage.state import Reader
from handlers.broker import Broker, CalendarSite
from handlers.calendar.delivery_rows import (
    FINISHED,
    KIND,
    MOST_FINISHED,
    MOST_PENDING,
    begin,
    close,
    index_of,
    note,
    remove,
)
from handlers.calendar.events import told_of_deactivation
from handlers.calendar.sent import body_of, headers_of
from handlers.calendar.webhooks import types_of

END_MS = 86_400_000
AT_A_TIME = 100
SPARE = 50


def calendar_form(broker: Broker) -> Form:
    """The form of the deliveries of this process."""
    return form_of(broker.signing_key, broker.reader, broker.calendar)


def form_of(key: SigningKey, reader: Reader, site: CalendarSite) -> Form:
    """The same of its parts."""

    def compose(endpoint: Endpoint, _: ChannelRecord, frame: Frame, now_ms: int) -> Composed:
        body = body_of(frame)
        return Composed(headers_of(secret_of(key, endpoint.id), endpoint.id, frame, body, now_ms), body)

    async def spare(channel: ChannelRecord, subject: str, ending: int) -> Noting | None:
        place = (channel.partition, KIND, index_of(subject, FINISHED))
        over = (await reader.page(*place, limit=0)).total + ending - MOST_FINISHED
        if over <= 0:
            return None
        # Some more than must go, so that it is not to be done again at once.
        return remove(_keyed((await reader.page(*place, limit=over + SPARE)).documents))

    async def closing(channel: ChannelRecord, subject: str) -> Noting:
        page = await reader.page(channel.partition, KIND, index_of(subject, "pending"), limit=AT_A_TIME)
        return close(_keyed(page.documents))

    return Form(
        compose=compose,
        types=types_of,
        may_read=_always,
        note=note,
        patience=Patience(site.webhook_retries_s, END_MS, MOST_PENDING),
        timeout_s=site.webhook_timeout_s,
        at_once=1,
        is_looked_at=True,
        rows=Rows(begin, spare, closing, AT_A_TIME),
        ended=told_of_deactivation,
    )


async def _always(_: ChannelRecord, __: Owner) -> bool:
    """It is the organisation's, and so is the channel: keys come and go."""
    return True


def _keyed(documents: list[tuple[str, Document]]) -> Mapping[DocumentKey, Document]:
    return {DocumentKey(KIND, member): document for member, document in documents}
