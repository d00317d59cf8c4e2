"""The words of an entry, as the script that appends writes them, with and without each of them."""

import itertools

from broker.channels import ChannelRecord
from broker.events import Stored
from broker.storage.channels import keys_of
from broker.storage.entries import tail_of, type_of
from tests.stores import Store, cursor_of


async def test_type_and_tail_are_found_whatever_else_an_event_has(store: Store, channel: ChannelRecord) -> None:
    [first] = (await store.publish(channel, 1)).positions
    for kind, publisher, parent in itertools.product((None, b'"t"', b'"p"'), (None, "t"), (None, first)):
        reply_to = None if parent is None else cursor_of(channel, parent)
        appended = await store.log.append(channel, [Stored(kind, publisher, reply_to, b'"data":1}')])
        at = appended.positions[0].stream
        pipeline = store.engine.client.pipeline(transaction=False)
        pipeline.xrange(keys_of(channel).stream, at, at)
        [[[_, words]]] = await pipeline.execute()
        assert (type_of(words), tail_of(words)) == (kind or b"", b'"data":1}')
