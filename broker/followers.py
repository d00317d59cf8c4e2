"""How far the followers of a log have read it, so that retention can wait for them (design section 5)."""

from broker.change import Document
from broker.channels import ChannelRecord
from broker.ids import Position
from broker.progress import parse_progress
from broker.storage.endpoints import Endpoints
from broker.storage.state import Reader
from broker.webhooks import state_of


class Followers:
    """The webhook endpoints of all logs, as readers that may be behind."""

    def __init__(self, endpoints: Endpoints, reader: Reader) -> None:
        self._endpoints = endpoints
        self._reader = reader

    async def read(self, channel: ChannelRecord) -> Position | None:
        """The place up to which every endpoint of a channel has delivered, None when it has none.

        Raises `Stale`, `Unavailable`.
        """
        begun = await self._endpoints.cursors(channel)
        if not begun:
            return None
        states = {each: state_of(f"{channel.tag_letters}/{each}") for each in begun}
        documents = (await self._reader.read(channel.partition, list(states.values()))).loaded.documents
        return min(_done(documents[states[each]], place) for each, place in begun.items())


def _done(state: Document | None, begun: Position) -> Position:
    return parse_progress(state.body).done if state else begun
