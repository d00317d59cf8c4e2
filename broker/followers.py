"""How far the followers of a log have read it, so that retention can wait for them (design section 5)."""

from broker.channels import ChannelRecord
from broker.ids import Position
from broker.progress import Progress, parse_progress
from broker.storage.deliveries import name_of
from broker.storage.endpoints import Endpoints, Following
from broker.storage.state import Reader
from broker.webhooks import state_of


class Followers:
    """The webhook endpoints of all logs, as readers that may be behind."""

    def __init__(self, endpoints: Endpoints, reader: Reader) -> None:
        self._endpoints = endpoints
        self._reader = reader

    async def read(self, channel: ChannelRecord) -> Position | None:
        """The place up to which every active endpoint of a channel has delivered, None when it has none.

        Raises `Stale`, `Unavailable`.
        """
        active = await self._endpoints.active(channel)
        if not active:
            return None
        keys = [state_of(name_of(channel, each.endpoint.id).subject) for each in active]
        documents = (await self._reader.read(channel.partition, keys)).loaded.documents
        states = [found and parse_progress(found.body) for found in (documents[key] for key in keys)]
        pairs = zip(active, states, strict=True)
        return min((place for each, state in pairs if (place := _done(each, state)) is not None), default=None)


def _done(following: Following, state: Progress | None) -> Position | None:
    """Up to where it has delivered; None for one to which nothing is sent."""
    if state is None or state.activation != following.endpoint.activation:
        return following.cursor
    return None if state.paused == "off" else state.done
